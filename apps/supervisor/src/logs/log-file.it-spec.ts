import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LogFile } from './log-file.js';

describe('a log file', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hive-log-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function open(): LogFile {
    return new LogFile(
      path.join(folder, 'a.log'),
      (error) => {
        throw error;
      },
      10,
    );
  }

  it('is put aside when it is full, and only so many are kept', () => {
    const log = open();
    for (let n = 1; n <= 6; n += 1) log.write(`line ${n}\n`);
    log.close();
    const content = Object.fromEntries(
      readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]),
    );
    expect(content).toEqual({
      'a.log': 'line 6\n',
      'a.log.1': 'line 5\n',
      'a.log.2': 'line 4\n',
      'a.log.3': 'line 3\n',
    });
  });

  it('is continued after a restart', () => {
    const first = open();
    first.write('one\n');
    first.close();
    const second = open();
    second.write('two\n');
    second.write('three\n');
    second.close();
    expect(readFileSync(path.join(folder, 'a.log.1'), 'utf8')).toBe('one\ntwo\n');
  });

  it('tells once that it cannot be written', () => {
    const troubles: string[] = [];
    const log = new LogFile('/dev/full', (error) => troubles.push(error.message));
    log.write('a\n');
    log.write('b\n');
    log.close();
    expect(troubles).toHaveLength(1);
    expect(troubles[0]).toContain('ENOSPC');
  });
});
