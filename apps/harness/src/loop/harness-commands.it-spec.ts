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

  it(verifies('5.3', 'P18') + 'ends a CLI that hangs in a compaction, and asks on', async () => {
    bench.program('#!/bin/sh\necho up > up\nexec sleep 300\n');
    bench.writeConfig({ driver: 'claude', command: ['bot.sh'], turn_seconds: 1 });
    bench.start();
    await expect.poll(() => bench.hive.polls.length).toBe(1);
    const id = bench.hive.command('compact');
    await expect.poll(() => existsSync(bench.at('state/up')), { timeout: 20_000 }).toBe(true);
    await expect.poll(() => bench.hive.polls.at(-1)?.confirm, { timeout: 20_000 }).toEqual([id]);
    expect(bench.processes()).toEqual([]);
    expect(bench.log).toContainEqual(
      expect.objectContaining({
        msg: 'the command failed',
        reason: 'the compaction was over its time limit of 1000 ms; the CLI was ended',
      }),
    );
    expect(bench.hive.polls[1]?.run_token_hash).not.toBe(bench.hive.polls[0]?.run_token_hash);
  });
});
