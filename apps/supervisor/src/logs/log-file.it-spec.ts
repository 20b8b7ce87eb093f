import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

  it('is written on when it cannot be put aside, and put aside when that is possible again', () => {
    const log = open();
    log.write('line 1\n');
    // Where there is no room for another file, it cannot be opened.
    const next = path.join(folder, 'a.log.next');
    mkdirSync(next);
    log.write('line 2\n');
    log.write('line 3\n');
    expect(readdirSync(folder).toSorted()).toEqual(['a.log', 'a.log.next']);
    expect(readFileSync(path.join(folder, 'a.log'), 'utf8')).toBe('line 1\nline 2\nline 3\n');
    rmSync(next, { recursive: true });
    log.write('line 4\n');
    log.close();
    expect(readFileSync(path.join(folder, 'a.log'), 'utf8')).toBe('line 4\n');
    expect(readFileSync(path.join(folder, 'a.log.1'), 'utf8')).toContain('line 3');
  });

  it('that cannot be opened is trouble that is told, and is opened when it can be', () => {
    const troubles: string[] = [];
    const home = path.join(folder, 'logs');
    writeFileSync(home, 'in the way');
    const log = new LogFile(path.join(home, 'a.log'), (error) => troubles.push(error.message));
    log.write('one\n');
    log.write('two\n');
    expect(troubles).toHaveLength(1);
    rmSync(home);
    mkdirSync(home);
    log.write('three\n');
    log.close();
    expect(readFileSync(log.path, 'utf8')).toBe('three\n');
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
