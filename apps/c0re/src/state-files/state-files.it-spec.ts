import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HiveError, LIMITS, type C0reAnswers } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reFixture } from '../testing/c0re.fixture.js';
import { describeAsRoot } from '../testing/describe-as-root.js';
import { refusal } from '../testing/refusal.js';
import { startSwapping } from '../testing/swapper.js';
import { readStateFile } from './state-file.reader.js';

let hive: C0reFixture;
let state: string;
let outside: string;

beforeAll(async () => {
  hive = await C0reFixture.started();
  await hive.spawn('ada');
  state = hive.agentPath('ada', 'state');
  outside = path.join(hive.root, 'outside');
  mkdirSync(outside);
  write(path.join(outside, 'secret'), 'SECRET');
  mkdirSync(path.join(state, 'notes'));
  write(path.join(state, 'notes', 'plan.md'), 'plan ✓\n');
  write(path.join(hive.home, 'shared', 'all.md'), 'for all');
});
afterAll(async () => {
  await hive.remove();
});

/** As a program with umask 022 writes it. */
function write(file: string, content: string | Buffer): void {
  writeFileSync(file, content);
  chmodSync(file, 0o644);
}
const query = (file: string, agent = 'ada') =>
  new URLSearchParams({ agent, path: file }).toString();
const read = (file: string, agent?: string) =>
  hive.getJson<C0reAnswers['state_file']>('admin', `/v1/state-file?${query(file, agent)}`);
const list = (folder: string) =>
  hive.getJson<C0reAnswers['state_folder']>('admin', `/v1/state-files?${query(folder)}`);
const refused = async (file: string) => {
  const { code, message } = await refusal(read(file));
  return { code, message };
};
const inState = (name: string) => path.join(state, name);

describe(verifies('8.2') + 'a state file', () => {
  it.each([
    ['notes/plan.md', 'plan ✓\n'],
    ['/agents/ada/state/notes/plan.md', 'plan ✓\n'],
    ['/shared/all.md', 'for all'],
  ])('%s is read', async (file, text) => {
    expect(await read(file)).toMatchObject({ agent: 'ada', path: file, text, base64: null });
  });

  it('comes as base64 when it is not text, and byte for byte', async () => {
    write(inState('bytes'), Buffer.from([0, 0xff, 0x80]));
    expect(await read('bytes')).toMatchObject({ text: null, base64: 'AP+A', bytes: 3 });
    write(inState('bom'), '\ufeffx');
    expect((await read('bom')).text).toBe('\ufeffx');
  });

  it('is listed with what it is, and links are not followed', async () => {
    symlinkSync(outside, inState('listed-link'));
    const { entries } = await list('');
    expect(entries).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'notes', kind: 'folder', readable: true }),
        expect.objectContaining({ name: 'listed-link', kind: 'other', readable: false }),
      ]),
    );
    expect((await list('notes')).entries).toMatchObject([{ name: 'plan.md', bytes: 9 }]);
    expect(await refusal(list('listed-link'))).toMatchObject({ code: 'not_readable' });
  });

  it.each<[string, string]>([
    ['..', '../x'],
    ['inner ..', 'notes/../notes/plan.md'],
    ['an absolute path', '/etc/shadow'],
    ['the path of another agent', '/agents/bob/state/x'],
    ['a root that only begins alike', '/agents/ada/statements'],
    ['a shared folder that only begins alike', '/sharedx'],
    ['.. behind the shared folder', '/shared/../db/x'],
    ['.', './notes/plan.md'],
    ['//', 'notes//plan.md'],
    ['a trailing /', 'notes/plan.md/'],
    ['NUL', 'notes/plan.md\0.png'],
    ['a line end', 'notes\nplan'],
    ['an escape', 'notes/\u001b[2J'],
    ['a path that is too long', 'a/'.repeat(2047) + 'ab'],
    ['a part that is too long', 'x'.repeat(256)],
    ['too many folders', Array.from({ length: 65 }, () => 'a').join('/')],
  ])('is not looked for at a path with %s', async (_name, file) => {
    expect(await refused(file)).toMatchObject({ code: 'invalid_request' });
  });

  it.each<[string, string]>([
    ['a backslash', String.raw`notes\plan.md`],
    ['%2e%2e', '%2e%2e/secret'],
    ['another case', 'Notes/plan.md'],
    ['a form that is not normalized', 'ı́'.normalize('NFD')],
    ['a homoglyph', 'nоtes/plan.md'],
    ['__proto__', '__proto__'],
  ])('is not there under a name with %s', async (_name, file) => {
    expect(await refused(file)).toMatchObject({ code: 'not_found' });
  });

  it.each([
    'agent=ada&path=a&path=b',
    'agent=ada&path[]=a',
    'agent=ada&path[toString]=a',
    'path=a',
    'agent=ada&path=%ff',
    'agent=../ada&path=a',
    'agent=ada&path=a&follow=1',
  ])('is not read for the query %s', async (text) => {
    const { status } = await refusal(hive.getJson('admin', `/v1/state-file?${text}`));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  it('of an unknown agent is not there', async () => {
    expect(await refusal(read('x', 'bob'))).toMatchObject({ code: 'not_found' });
  });
});

describe(verifies('8.2') + 'what lies there instead of a plain file', () => {
  const cases: [string, () => string][] = [
    ['a link that leads out', () => link('out', path.join(outside, 'secret'))],
    ['a link that leads in', () => link('in', inState('notes/plan.md'))],
    ['a folder that is a link', () => `${link('dir', outside)}/secret`],
    ['a link to itself', () => link('self', 'self')],
    ['a link to the root of the process', () => `${link('root', '/proc/self/root')}/etc/passwd`],
    ['a link to a descriptor', () => link('fd', '/proc/self/fd/0')],
    ['a dangling link', () => link('dangling', 'nowhere')],
    ['a second name of a foreign file', () => hard('hard', path.join(outside, 'secret'))],
    ['a FIFO', () => made('fifo', (file) => execFileSync('mkfifo', ['-m', '644', file]))],
    ['a FIFO as a folder', () => `${made('fifo2', (file) => execFileSync('mkfifo', [file]))}/x`],
    ['a folder', () => 'notes'],
    ['the state folder itself', () => ''],
    ['a file as a folder', () => 'notes/plan.md/x'],
    ['a file of its owner alone', () => withMode('private', 0o600)],
    ['a file of its group', () => withMode('group', 0o640)],
    ['a set-user-id file', () => withMode('suid', 0o4755)],
    ['a set-group-id file', () => withMode('sgid', 0o2755)],
    ['a sparse file of a tebibyte', () => sparse('sparse', 2 ** 40)],
    ['a file of one byte too much', () => sparse('large', LIMITS.state_file_bytes + 1)],
  ];

  it.each(cases)('%s is not read', async (_name, make) => {
    const { code, message } = await refused(make());
    expect(code).toBe('not_readable');
    expect(message).not.toContain('SECRET');
  });

  it('a socket is not read', async () => {
    const server = createServer().listen(inState('socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    chmodSync(inState('socket'), 0o777);
    expect(await refused('socket')).toMatchObject({ code: 'not_readable' });
    server.close();
  });

  it('a file of exactly the limit is read', async () => {
    expect((await read(sparse('limit', LIMITS.state_file_bytes))).bytes).toBe(
      LIMITS.state_file_bytes,
    );
  });

  it('a state folder that is a link is not entered', async () => {
    const root = mkdtempSync(path.join(tmpdir(), 'state-'));
    symlinkSync(outside, path.join(root, 'state'));
    expect(() => readStateFile(path.join(root, 'state'), ['secret'])).toThrow('no folder');
    rmSync(root, { recursive: true });
  });

  it('leaves no descriptor open over 2,100 refusals', () => {
    link('leak', path.join(outside, 'secret'));
    const before = readdirSync('/proc/self/fd').length;
    for (let count = 0; count < 700; count += 1) {
      for (const parts of [['leak'], ['notes', 'none'], ['notes', 'plan.md', 'x']]) {
        expect(() => readStateFile(state, parts)).toThrow(HiveError);
      }
    }
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describeAsRoot(verifies('8.2') + 'what only root can make', () => {
  it.each<[string, string[]]>([
    ['a character device', ['c', '1', '5']],
    ['a block device', ['b', '7', '0']],
  ])('%s is not opened', async (_name, device) => {
    const file = inState(`device-${device[0]}`);
    execFileSync('mknod', ['-m', '666', file, ...device]);
    expect(await refused(path.basename(file))).toMatchObject({ code: 'not_readable' });
  });

  it('a mount point is not entered', async () => {
    mkdirSync(inState('mounted'));
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', inState('mounted')]);
    try {
      write(inState('mounted/file'), 'x');
      expect(await refused('mounted/file')).toMatchObject({ code: 'not_readable' });
    } finally {
      execFileSync('umount', [inState('mounted')]);
    }
  });
});

describe(verifies('8.2') + 'a live race', () => {
  it('leaks nothing in 20,000 tries while a process swaps folder and link', async () => {
    mkdirSync(inState('race'));
    write(inState('race/secret'), 'own');
    symlinkSync(outside, inState('trap'));
    const stop = await startSwapping([inState('race'), inState('trap')]);
    const seen = { own: 0, refused: 0 };
    for (let count = 0; count < 20_000; count += 1) {
      try {
        const { content } = readStateFile(state, ['race', 'secret']);
        expect(content.toString()).toBe('own');
        seen.own += 1;
      } catch (error) {
        if (!(error instanceof HiveError)) throw error;
        seen.refused += 1;
      }
    }
    expect(await stop()).toBeGreaterThan(1000);
    expect(seen.own).toBeGreaterThan(100);
    expect(seen.refused).toBeGreaterThan(100);
  }, 20_000);

  it('leaks nothing while a process swaps file and link', async () => {
    write(inState('file'), 'own');
    symlinkSync(path.join(outside, 'secret'), inState('file-trap'));
    const stop = await startSwapping([inState('file'), inState('file-trap')]);
    for (let count = 0; count < 10_000; count += 1) {
      try {
        expect(readStateFile(state, ['file']).content.toString()).toBe('own');
      } catch (error) {
        if (!(error instanceof HiveError)) throw error;
      }
    }
    expect(await stop()).toBeGreaterThan(1000);
  }, 20_000);
});

function link(name: string, target: string): string {
  rmSync(inState(name), { force: true });
  symlinkSync(target, inState(name));
  return name;
}
function hard(name: string, target: string): string {
  linkSync(target, inState(name));
  return name;
}
function made(name: string, make: (file: string) => unknown): string {
  make(inState(name));
  return name;
}
function withMode(name: string, mode: number): string {
  writeFileSync(inState(name), 'SECRET');
  chmodSync(inState(name), mode);
  return name;
}
function sparse(name: string, bytes: number): string {
  write(inState(name), '');
  truncateSync(inState(name), bytes);
  return name;
}
