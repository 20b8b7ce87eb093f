import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { writeSpilledBody } from './spilled-body.js';

let folder: string;
let state: string;
let outside: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hive-spill-'));
  state = path.join(folder, 'state');
  outside = path.join(folder, 'outside');
  mkdirSync(state);
  mkdirSync(outside);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const LONG = `ü${'x'.repeat(70_000)}`;

describe(verifies('3.1', 'P23') + 'the file of a long body', () => {
  it('is written whole, readable by all, in folders that are made for it', () => {
    const before = process.umask(0o077);
    try {
      writeSpilledBody(state, 'reminders/deep/r1.md', LONG);
    } finally {
      process.umask(before);
    }
    const file = path.join(state, 'reminders/deep/r1.md');
    expect(readFileSync(file, 'utf8')).toBe(LONG);
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(readdirSync(path.dirname(file))).toEqual(['r1.md']);
  });

  it('replaces an older one', () => {
    writeSpilledBody(state, 'r1.md', 'old');
    writeSpilledBody(state, 'r1.md', 'new');
    expect(readFileSync(path.join(state, 'r1.md'), 'utf8')).toBe('new');
  });

  it('takes the place of a link and leaves what it points to', () => {
    const secret = path.join(outside, 'secret');
    writeFileSync(secret, 'keep');
    symlinkSync(secret, path.join(state, 'r1.md'));
    writeSpilledBody(state, 'r1.md', 'body');
    expect(readFileSync(secret, 'utf8')).toBe('keep');
    expect(readFileSync(path.join(state, 'r1.md'), 'utf8')).toBe('body');
  });

  it('is refused below a folder that is a link', () => {
    symlinkSync(outside, path.join(state, 'reminders'));
    expect(() => writeSpilledBody(state, 'reminders/r1.md', 'body')).toThrow(/ENOTDIR|ELOOP/);
    expect(readdirSync(outside)).toEqual([]);
  });

  it.each(['', '..', '../x', 'a/../../x', 'a//x', '/etc/x', './x', 'a/'])(
    'is refused at %j',
    (relative) => {
      expect(() => writeSpilledBody(state, relative, 'body')).toThrow(/no path below/);
      expect(readdirSync(state)).toEqual([]);
    },
  );

  it('leaves nothing half written where a folder has its name', () => {
    mkdirSync(path.join(state, 'r1.md'));
    writeFileSync(path.join(state, 'r1.md', 'kept'), '');
    expect(() => writeSpilledBody(state, 'r1.md', 'body')).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(readdirSync(state)).toEqual(['r1.md']);
    expect(existsSync(path.join(state, 'r1.md', 'kept'))).toBe(true);
  });
});
