import { describe, expect, it } from 'vitest';

import { HiveError } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { createLog } from '../logging/log.js';
import { InstanceSuperseded, Retries } from './retries.js';

function bench() {
  const waits: number[] = [];
  const lines: string[] = [];
  const clock = {
    sleep: (ms: number) => {
      waits.push(ms);
      return Promise.resolve();
    },
  };
  const log = createLog({}, { now: () => 0 }, 'info', (line) => lines.push(line));
  return { waits, lines, retries: new Retries(clock, log) };
}
const failing = (times: number, error: Error) => {
  let calls = 0;
  return () => {
    calls += 1;
    return calls <= times ? Promise.reject(error) : Promise.resolve(calls);
  };
};
const open = new AbortController().signal;

describe(verifies('5.1') + 'calls to a gateway that comes and goes', () => {
  it('are repeated with waits that double up to 5 s, the first one silently', async () => {
    const { retries, waits, lines } = bench();
    const call = failing(9, new HiveError('unavailable', 'gone'));
    expect(await retries.untilAnswered('x', call, open)).toBe(10);
    expect(waits).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    expect(lines).toHaveLength(8);
  });

  it('are not repeated when that cannot help', async () => {
    const { retries, waits } = bench();
    const call = failing(1, new HiveError('invalid_request', 'wrong'));
    await expect(retries.untilAnswered('x', call, open)).rejects.toThrow('wrong');
    expect(waits).toEqual([]);
  });

  it(verifies('P4') + 'end for ever when a newer instance is there', async () => {
    const { retries } = bench();
    const call = failing(1, new HiveError('instance_superseded', 'instance 2'));
    await expect(retries.untilAnswered('x', call, open)).rejects.toThrow(InstanceSuperseded);
  });

  it('end when the harness stops', async () => {
    const { retries } = bench();
    const stop = AbortSignal.abort();
    const call = failing(0, new Error('never'));
    await expect(retries.untilAnswered('x', call, stop)).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  it('let a bug through', async () => {
    const { retries } = bench();
    await expect(
      retries.untilAnswered('x', failing(1, new TypeError('bug')), open),
    ).rejects.toThrow('bug');
  });
});
