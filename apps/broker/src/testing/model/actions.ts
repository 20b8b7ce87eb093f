import {
  array,
  boolean,
  constant,
  constantFrom,
  integer,
  nat,
  noBias,
  oneof,
  record,
  type Arbitrary,
} from 'fast-check';

import { COMMAND_KINDS, PRIORITIES, type Priority, type ResultKind } from '#libs/protocol';

/** Agents of the model: two driven by a harness that sees tool results, one that does not, and a bare client. */
export const AGENTS = ['ann', 'bob', 'cmd', 'ext'] as const;
export type AgentName = (typeof AGENTS)[number];
/** Those with a harness. */
export const DRIVEN = ['ann', 'bob', 'cmd'] as const;

/** What the scheduler does with its jobs, and what happens to its Redis. */
export const REDIS_STEPS = [
  'relay',
  'relay',
  'run',
  'run',
  'run_early',
  'rerun',
  'flush',
  'save',
  'restore',
  'reconcile',
] as const;

/** One step of a run. `lose`: the answer never reaches the caller. */
export type Action =
  | { do: 'send'; from: AgentName | 'operator'; to: AgentName; priority: Priority; lose: boolean }
  | { do: 'poll'; agent: AgentName; lose: boolean }
  | { do: 'recv'; agent: AgentName; max: number; wait: boolean; lose: boolean; report: boolean }
  | { do: 'end'; agent: AgentName; kind: ResultKind; forget: number; lose: boolean }
  | {
      do: 'broadcast';
      from: AgentName | 'operator';
      to: '*' | readonly AgentName[];
      priority: Priority;
      lose: boolean;
    }
  | { do: 'ask'; from: AgentName; to: AgentName | 'operator'; ttl?: number }
  | { do: 'answer'; by: AgentName | 'operator'; pick: number }
  | { do: 'cancel_ask'; by: AgentName | 'operator'; pick: number }
  | { do: 'remind'; agent: AgentName; delay: number; every: boolean }
  | { do: 'cancel_reminder'; agent: AgentName; pick: number }
  | { do: 'redis'; what: (typeof REDIS_STEPS)[number] }
  | { do: 'window'; agent: AgentName; close: boolean }
  | { do: 'heartbeat'; agent: AgentName }
  | { do: 'next_turn'; agent: AgentName }
  | { do: 'ack'; agent: AgentName; pick: number }
  | { do: 'close_session'; agent: AgentName }
  | { do: 'kill_harness'; agent: AgentName; zombie: boolean }
  | { do: 'report_death'; agent: AgentName }
  | { do: 'hello'; agent: AgentName; lose: boolean }
  | { do: 'zombie'; agent: AgentName; call: 'end' | 'poll' | 'heartbeat' | 'hello' }
  | { do: 'orphan'; agent: AgentName; call: 'send' | 'recv' }
  | { do: 'registry'; agent: AgentName; state: 'running' | 'stopped' }
  | { do: 'command'; agent: AgentName; kind: (typeof COMMAND_KINDS)[number]; discard: boolean }
  | { do: 'release'; agent: AgentName }
  | { do: 'replay'; pick: number }
  | { do: 'abandon_calls'; agent: AgentName }
  | { do: 'drop_link' }
  | { do: 'advance'; ms: number }
  | { do: 'jump'; ms: number }
  | { do: 'crash'; at: 'now' | 'beforeCommit' | 'afterCommit' };

// Most happens to one agent: what breaks an invariant needs several steps of the same one.
const agent = constantFrom(...AGENTS, 'ann' as const, 'ann' as const, 'ann' as const);
const driven = constantFrom(...DRIVEN, 'ann' as const, 'ann' as const, 'ann' as const);
const seldom = integer({ min: 0, max: 7 }).map((n) => n === 7);

const sending = record({
  do: constant('send' as const),
  from: constantFrom(...AGENTS, 'operator' as const),
  to: agent,
  priority: constantFrom(...PRIORITIES, 'urgent' as const, 'normal' as const),
  lose: seldom,
});
const turning = oneof(
  record({ do: constant('poll' as const), agent: driven, lose: seldom }),
  record({
    do: constant('recv' as const),
    agent,
    max: integer({ min: 1, max: 5 }),
    wait: boolean(),
    lose: seldom,
    report: integer({ min: 0, max: 3 }).map((n) => n > 0),
  }),
  record({
    do: constant('end' as const),
    agent: driven,
    kind: constantFrom<ResultKind[]>(
      'ok',
      'ok',
      'ok',
      'failed',
      'failed',
      'cancelled',
      'rate_limited',
      'timed_out',
    ),
    forget: integer({ min: 0, max: 2 }),
    lose: seldom,
  }),
);
// A bare client can act at any time, a CLI only in its turn.
const speaking = constantFrom<AgentName[]>('ext', 'ext', 'ext', 'ann', 'bob', 'cmd');
const anyone = constantFrom(...AGENTS, 'operator' as const, 'operator' as const);
const promising = oneof(
  record({
    do: constant('broadcast' as const),
    from: constantFrom(...AGENTS, 'operator' as const, 'operator' as const),
    to: constantFrom<('*' | readonly AgentName[])[]>(
      '*',
      '*',
      ['ann', 'ext'],
      ['bob', 'cmd', 'ann'],
    ),
    priority: constantFrom(...PRIORITIES, 'normal' as const),
    lose: seldom,
  }),
  record(
    {
      do: constant('ask' as const),
      from: speaking,
      to: constantFrom(...AGENTS, 'operator' as const, 'operator' as const),
      ttl: constantFrom(1, 20, 400, 3600),
    },
    { requiredKeys: ['do', 'from', 'to'] },
  ),
  record({ do: constant('answer' as const), by: anyone, pick: nat(5) }),
  record({ do: constant('cancel_ask' as const), by: anyone, pick: nat(5) }),
  record({
    do: constant('remind' as const),
    agent: speaking,
    delay: constantFrom(1, 1, 3, 30, 300, 900),
    every: integer({ min: 0, max: 3 }).map((n) => n === 3),
  }),
  record({ do: constant('cancel_reminder' as const), agent: speaking, pick: nat(5) }),
  record({ do: constant('redis' as const), what: constantFrom(...REDIS_STEPS) }),
  record({ do: constant('redis' as const), what: constantFrom(...REDIS_STEPS) }),
  record({ do: constant('window' as const), agent: driven, close: seldom }),
);
const rest = oneof(
  record({ do: constant('heartbeat' as const), agent: driven }),
  record({ do: constant('next_turn' as const), agent: driven }),
  record({ do: constant('ack' as const), agent, pick: nat(5) }),
  record({ do: constant('close_session' as const), agent: constant('ext' as const) }),
  record({ do: constant('kill_harness' as const), agent: driven, zombie: boolean() }),
  record({ do: constant('report_death' as const), agent: driven }),
  record({ do: constant('hello' as const), agent: driven, lose: seldom }),
  record({
    do: constant('zombie' as const),
    agent: driven,
    call: constantFrom('end' as const, 'poll' as const, 'heartbeat' as const, 'hello' as const),
  }),
  // Late calls of old CLIs are tried often: most of them meet no turn.
  record({
    do: constant('orphan' as const),
    agent: driven,
    call: constantFrom('send' as const, 'recv' as const),
  }),
  record({
    do: constant('orphan' as const),
    agent: driven,
    call: constantFrom('send' as const, 'recv' as const),
  }),
  record({
    do: constant('orphan' as const),
    agent: driven,
    call: constantFrom('send' as const, 'recv' as const),
  }),
  record({
    do: constant('registry' as const),
    agent: driven,
    state: constantFrom('running' as const, 'running' as const, 'stopped' as const),
  }),
  record({
    do: constant('command' as const),
    agent: driven,
    kind: constantFrom(...COMMAND_KINDS),
    discard: boolean(),
  }),
  record({ do: constant('release' as const), agent: driven }),
  record({ do: constant('replay' as const), pick: nat(1000) }),
  record({ do: constant('abandon_calls' as const), agent }),
  record({ do: constant('drop_link' as const) }),
  record({
    do: constant('advance' as const),
    ms: constantFrom(60, 300, 2000, 6000, 25_000, 45_000, 61_000, 130_000, 700_000),
  }),
  record({
    do: constant('jump' as const),
    ms: constantFrom(-3_600_000, -60_000, 7_000, 3_600_000),
  }),
  record({
    do: constant('crash' as const),
    at: constantFrom('now' as const, 'beforeCommit' as const, 'afterCommit' as const),
  }),
);

/** Runs of up to `most` steps, with sends and turns often enough that the rest has something to break. */
export function runs(most: number): Arbitrary<Action[]> {
  return noBias(
    array(
      oneof(
        { arbitrary: sending, weight: 5 },
        { arbitrary: turning, weight: 7 },
        { arbitrary: rest, weight: 6 },
        { arbitrary: promising, weight: 5 },
      ),
      { minLength: Math.floor(most / 2), maxLength: most, size: 'max' },
    ),
  );
}
