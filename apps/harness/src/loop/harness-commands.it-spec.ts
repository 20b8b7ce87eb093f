import { existsSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { HarnessBench } from '../testing/harness-bench.js';

let bench: HarnessBench;
beforeEach(async () => {
  bench = await HarnessBench.create();
});
afterEach(() => bench.stop());

const ended = (count: number) =>
  expect.poll(() => bench.hive.ends.length, { timeout: 20_000 }).toBe(count);

describe('harness commands in the answer to a poll', () => {
  it.each([
    ['a grant', false],
    ['a grant whose first answer was lost', true],
  ])(
    verifies('5.6', 'P17', 'P18') + 'cancels the turn of %s without beginning it',
    async (_, isLost) => {
      bench.program('cat > /dev/null; echo "$HIVE_TURN_ID" >> ran');
      if (isLost) bench.hive.loseNextGrant();
      const id = bench.hive.command('cancel');
      const cancelled = bench.hive.grant([{ body: 'x' }]);
      bench.start();
      await ended(1);
      expect(bench.hive.ends[0]).toMatchObject({
        turn_id: cancelled,
        end: {
          result_kind: 'cancelled',
          shown: [],
          note: 'cancelled by the operator; before it began',
        },
      });
      expect(existsSync(bench.at('state/ran'))).toBe(false);
      await expect.poll(() => bench.hive.polls.at(-1)?.confirm).toEqual([id]);
      expect(bench.hive.polls.at(-1)?.last_turn_id).toBe(cancelled);

      // Only that turn is cancelled.
      const next = bench.hive.grant([{ body: 'y' }]);
      await ended(2);
      expect(bench.hive.ends[1]).toMatchObject({ turn_id: next, end: { result_kind: 'ok' } });
      expect(bench.read('ran')).toBe(`${next}\n`);
    },
  );
});
