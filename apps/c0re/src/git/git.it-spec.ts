import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { importCommit } from '../repositories/import-commit.js';
import { copyCommit, git, GitError, gitText, type GitCall } from './git.js';
import { Slots } from './slots.js';

let folder: string;
let one: GitCall;
let other: GitCall;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'c0re-git-'));
  one = { gitDir: path.join(folder, 'one'), as: undefined };
  other = { gitDir: path.join(folder, 'other'), as: undefined };
  for (const { gitDir = '' } of [one, other]) {
    await git({ as: undefined }, 'init', '--quiet', '--bare', '--template=', gitDir);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe(verifies('4.4', '8.1') + 'git as c0re runs it', () => {
  it('copies a commit whole, and not when it is too large', async () => {
    const files = { a: 'x\n', 'b "c"\\d': 'y' };
    const sha = await importCommit(one, { ref: 'refs/heads/main', message: 'm', files, at: 1 });
    await copyCommit(one, other, sha, 100_000);
    expect(await gitText(other, 'ls-tree', '-r', '--name-only', '-z', sha)).toBe('a\0b "c"\\d\0');
    const noise = Array.from({ length: 20_000 }, (_, n) => (n * 2_654_435_761) % 4_294_967_296);
    const large = await importCommit(one, {
      ref: 'refs/heads/large',
      message: 'm',
      files: { big: noise.join(' ') },
    });
    await expect(copyCommit(one, other, large, 20_000)).rejects.toThrow(/over 20000 bytes/);
    await expect(git(other, 'cat-file', '-e', large)).rejects.toThrow(GitError);
  });

  it('says what went wrong in the words of git, and keeps to its bound of output', async () => {
    await expect(git(one, 'cat-file', 'blob', 'nothing')).rejects.toThrow(
      /^git cat-file failed \(128\): fatal: .*nothing/,
    );
    await expect(git({ ...one, maxBytes: 10 }, 'help', '--all')).rejects.toThrow(GitError);
  });
});

describe('slots', () => {
  it('let so many run at a time, and go on after a failure', async () => {
    const slots = new Slots(2);
    let running = 0;
    let most = 0;
    const work = async (n: number) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      if (n % 3 === 0) throw new Error('no');
      return n;
    };
    const done = await Promise.allSettled(
      [1, 2, 3, 4, 5, 6, 7].map((n) => slots.run(() => work(n))),
    );
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(most).toBe(2);
  });
});
