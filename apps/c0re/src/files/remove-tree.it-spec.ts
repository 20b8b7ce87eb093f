import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { startSwapping } from '../testing/swapper.js';
import { removeTree } from './remove-tree.js';

let root: string;
let outside: string;
beforeEach(() => {
  // In memory where there is such a place: a disk would make most of the time that the race takes.
  root = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'remove-'));
  outside = path.join(root, 'outside');
  mkdirSync(outside);
  writeFileSync(path.join(outside, 'precious'), 'x');
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const at = (...names: string[]) => path.join(root, ...names);
const openFiles = () => readdirSync('/proc/self/fd').length;

describe(verifies('4.1', '8.2') + 'removal of a tree that was an agent’s', () => {
  it('removes folders, links as such, FIFOs, odd names and what its owner locked', async () => {
    mkdirSync(at('tree', 'a', 'b'), { recursive: true });
    writeFileSync(at('tree', 'a', 'b', 'file'), '');
    symlinkSync(outside, at('tree', 'folder'));
    symlinkSync(at('outside', 'precious'), at('tree', 'a', 'file'));
    symlinkSync('loop', at('tree', 'loop'));
    execFileSync('mkfifo', [at('tree', 'fifo')]);
    writeFileSync(Buffer.concat([Buffer.from(`${at('tree')}/`), Buffer.from([0xff, 0xfe])]), '');
    writeFileSync(at('tree', 'new\nline\u001b[2J'), '');
    chmodSync(at('tree', 'a', 'b'), 0o000);
    const before = openFiles();
    await removeTree(root, 'tree');
    expect(existsSync(at('tree'))).toBe(false);
    expect(readFileSync(at('outside', 'precious'), 'utf8')).toBe('x');
    expect(openFiles()).toBe(before);
  });

  it('removes a link itself, a single file, and is content when nothing is there', async () => {
    symlinkSync(outside, at('link'));
    writeFileSync(at('file'), '');
    for (const name of ['link', 'file', 'nothing']) await removeTree(root, name);
    expect(readdirSync(root)).toEqual(['outside']);
    expect(readdirSync(outside)).toEqual(['precious']);
  });

  it('goes as deep as an agent can, without a path that is too long or a descriptor for each', async () => {
    // 3,000 folders below each other: a path of 12,000 bytes, made as an agent would.
    execFileSync(
      'perl',
      [
        '-e',
        'mkdir "tree"; chdir "tree"; for (1..3000) { mkdir "deep"; chdir "deep" or die } open F, ">x"',
      ],
      { cwd: root },
    );
    const before = openFiles();
    await removeTree(root, 'tree');
    expect(readdirSync(root)).toEqual(['outside']);
    expect(openFiles()).toBe(before);
  });

  it('deletes nothing outside in 20,000 removals while a process swaps folders for links', async () => {
    const untouched = statSync(outside).mtimeMs;
    const pairs = Array.from(
      { length: 10 },
      (_, index) => [`folder${index}`, `link${index}`] as const,
    );
    const stop = await startSwapping(
      ...pairs.map(([folder, link]) => [at('tree', folder), at('tree', link)] as const),
    );
    for (let removed = 0; removed < 20_000; removed += 2 * pairs.length) {
      mkdirSync(at('next'));
      for (const [folder, link] of pairs) {
        mkdirSync(at('next', folder));
        writeFileSync(at('next', folder, 'precious'), '');
        symlinkSync(outside, at('next', link));
      }
      renameSync(at('next'), at('tree'));
      await removeTree(root, 'tree');
    }
    expect(await stop()).toBeGreaterThan(1000);
    expect(statSync(outside).mtimeMs).toBe(untouched);
    expect(readFileSync(at('outside', 'precious'), 'utf8')).toBe('x');
  }, 60_000);
});
