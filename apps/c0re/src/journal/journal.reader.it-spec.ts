import {
  appendFileSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { cutLongLogs, readJournal } from './journal.reader.js';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'c0re-journal-'));
  file = path.join(folder, 'ada.log');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe(verifies('8.4') + 'journal', () => {
  it('is the last lines, oldest first', () => {
    writeFileSync(file, 'one\ntwo\nthree\n');
    expect(readJournal(file, 2)).toEqual(['two', 'three']);
    appendFileSync(file, 'fo');
    expect(readJournal(file, 2)).toEqual(['three', 'fo']);
    expect(readJournal(path.join(folder, 'nobody.log'), 2)).toEqual([]);
  });

  it('holds no control character and no terminal sequence', () => {
    writeFileSync(
      file,
      'a\u001b[31mred\u001b[0m \u001b]0;title\u0007b\u001b]8;;http://x\u001b\\c\u001bMd\0\b\r\u009b\u202ee\tf\n',
    );
    expect(readJournal(file, 5)).toEqual(['ared bcde\tf']);
  });

  it('is bounded in bytes and in the length of a line', () => {
    writeFileSync(file, `${'x'.repeat(1_000_000)}\nshort\n`);
    const lines = readJournal(file, 500);
    expect(lines).toEqual(['short']);
    writeFileSync(file, `first\n${'x'.repeat(100_000)}\n`);
    expect(readJournal(file, 5).map((line) => line.length)).toEqual([5, 4000]);
  });

  it('is not read through a link', () => {
    symlinkSync('/etc/passwd', file);
    expect(() => readJournal(file, 5)).toThrow(/ELOOP/);
  });

  it('is cut to its end while its writer goes on', () => {
    const writer = openSync(file, 'a');
    writeSync(writer, 'x'.repeat(16 * 1024 * 1024));
    writeSync(writer, '\nlast\n');
    cutLongLogs(folder);
    writeSync(writer, 'after\n');
    closeSync(writer);
    expect(statSync(file).size).toBeLessThan(300_000);
    expect(readJournal(file, 2)).toEqual(['last', 'after']);
  });
});
