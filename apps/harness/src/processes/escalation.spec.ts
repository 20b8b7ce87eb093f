import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { escalate } from './escalation.js';

function bench(endsAfter: string | undefined) {
  const steps: string[] = [];
  const ended = Promise.withResolvers<void>();
  const step = (name: string) => () => {
    steps.push(name);
    if (name === endsAfter) ended.resolve();
  };
  const by = { interrupt: step('interrupt'), terminate: step('terminate'), kill: step('kill') };
  // Every wait passes at once, except that an end that was reached is seen first.
  const clock = {
    sleep: async (ms: number, signal?: AbortSignal) => {
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
      if (!signal?.aborted) steps.push(`${ms} ms`);
    },
  };
  return { steps, run: () => escalate('cancelled', by, ended.promise, clock) };
}

describe(verifies('5.6') + 'ending a turn early', () => {
  it('takes stronger means one after the other', async () => {
    const { steps, run } = bench(undefined);
    await run();
    expect(steps).toEqual(['interrupt', '5000 ms', 'terminate', '3000 ms', 'kill']);
  });

  it('goes no further than it must', async () => {
    const gentle = bench('interrupt');
    await gentle.run();
    expect(gentle.steps).toEqual(['interrupt']);
    const firm = bench('terminate');
    await firm.run();
    expect(firm.steps).toEqual(['interrupt', '5000 ms', 'terminate']);
  });
});
