import { closeSync, openSync, writeSync } from 'node:fs';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { LineOutput } from './line-output.js';
import { createLogger } from './log.js';

vi.mock('node:fs', { spy: true });

const written: string[] = [];
/** What each further write does: takes so many bytes, or fails; takes all when there is none. */
let faults: (number | string)[] = [];

afterEach(() => {
  vi.mocked(writeSync).mockReset();
  written.length = 0;
  faults = [];
});

function fake(): LineOutput {
  vi.mocked(writeSync).mockImplementation((_fd, data, offset) => {
    const bytes = Buffer.from(data as unknown as Buffer).subarray(
      typeof offset === 'number' ? offset : 0,
    );
    const fault = faults.shift() ?? bytes.length;
    if (typeof fault === 'string') throw Object.assign(new Error(fault), { code: fault });
    written.push(bytes.subarray(0, fault).toString());
    return Math.min(fault, bytes.length);
  });
  return new LineOutput(7, (count) => `${count} lost`);
}

describe('the output of log lines', () => {
  it('goes on after a full disk, and says how many lines are missing', () => {
    const output = fake();
    faults = ['ENOSPC', 'ENOSPC'];
    for (const line of ['a\n', 'b\n', 'c\n', 'd\n']) output.write(line);
    expect(written.join('')).toBe('2 lost\nc\nd\n');
  });

  it('ends a line that the full disk cut', () => {
    const output = fake();
    faults = [2, 'ENOSPC'];
    output.write('first\n');
    output.write('second\n');
    output.write('third\n');
    expect(written.join('')).toBe('fi\n1 lost\nsecond\nthird\n');
  });

  it('waits for a pipe that is full for a moment, and gives up on one that stays full', () => {
    const output = fake();
    faults = [1, 'EAGAIN', 'EAGAIN'];
    output.write('a\n');
    expect(written.join('')).toBe('a\n');
    faults = Array.from({ length: 50 }, () => 'EAGAIN');
    output.write('b\n');
    expect(faults).toEqual([]);
    output.write('c\n');
    expect(written.join('')).toBe('a\n1 lost\nc\n');
  });

  it.each(['EPIPE', 'EIO', 'EBADF'])('is not troubled by %s', (code) => {
    const output = fake();
    faults = [code];
    expect(() => output.write('a\n')).not.toThrow();
  });

  it('is that of the logger of every service: a full disk throws nothing', () => {
    const fd = openSync('/dev/full', 'w');
    const log = createLogger('test', 'info', fd);
    expect(() => log.info('lost')).not.toThrow();
    expect(vi.mocked(writeSync)).toHaveBeenCalled();
    closeSync(fd);
  });
});
