import { assert, asyncProperty } from 'fast-check';
import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { DRIVEN, runs, type Action } from './actions.js';
import { drain } from './drain.js';
import { perform } from './perform.js';
import { World } from './world.js';

/** Runs of the usual test; `HIVE_MODEL_RUNS` and `HIVE_MODEL_SEED` ask for more, or for others, `HIVE_MODEL_SHRINK=1` for the shortest bad run. */
const RUNS = Number(process.env['HIVE_MODEL_RUNS'] ?? 60);
const SEED = Number(process.env['HIVE_MODEL_SEED'] ?? 20_261_122);
const STEPS = 190;

/** What a run brings about at least, on average: without it the invariants would hold of nothing. */
const LEAST_PER_RUN = {
  sent: 8,
  acked: 5,
  turns: 4,
  failed: 0.15,
  lost_by_harness: 0.3,
  redelivered: 2,
  repeated: 1,
  crashes: 0.5,
  fanned_out: 1,
  reminded: 0.8,
  outcomes: 0.5,
  restart_wakes: 0.5,
};

const seen: Record<string, number> = {};

async function play(actions: Action[]): Promise<void> {
  const world = await World.create();
  try {
    for (const agent of DRIVEN) await perform(world, { do: 'hello', agent, lose: false });
    for (const action of actions) await perform(world, action);
    await drain(world);
    for (const [what, count] of Object.entries(world.tally()))
      seen[what] = (seen[what] ?? 0) + count;
  } finally {
    await world.end();
  }
}

describe(
  verifies(
    'I1',
    'I2',
    'I3',
    'I4',
    'I5',
    'I6',
    'I7',
    'I8',
    'I9',
    'I10',
    'I11',
    'I12',
    'I13',
    '1.2',
  ) + 'the protocol on the real broker, a test clock, and crashes before and after commits',
  () => {
    it(`holds its invariants in ${RUNS} random runs (seed ${SEED})`, async () => {
      await assert(asyncProperty(runs(STEPS), play), {
        seed: SEED,
        numRuns: RUNS,
        endOnFailure: process.env['HIVE_MODEL_SHRINK'] !== '1',
      });
      console.log('TALLY', JSON.stringify(seen));
      for (const [what, least] of Object.entries(LEAST_PER_RUN)) {
        expect(seen[what], `${what} in ${RUNS} runs`).toBeGreaterThan(least * RUNS);
      }
    }, 600_000);
  },
);
