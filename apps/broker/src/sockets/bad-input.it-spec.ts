import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  HiveError,
  isoTime,
  type BrokerC0reApi,
  type BrokerDashboardApi,
  type BrokerGatewayApi,
  type BrokerSchedulerApi,
} from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { settled, Swarm, type TestTurn } from '../testing/swarm.js';
import {
  endRequest,
  helloRequest,
  pollRequest,
  registryAgent,
  removeTestFolders,
} from '../testing/test-broker.js';

type Requests<Api extends object> = {
  [Method in keyof Api]: Api[Method] extends [infer Params, unknown]
    ? () => Required<Params>
    : never;
};

let swarm: Swarm;
let turn: TestTurn;
beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob', 'manager']);
  await swarm.hello('bob');
  await swarm.send('alice', 'bob', 'hi');
  turn = await swarm.turn('bob');
  await swarm.broker.gateway.ask({ ...caller('alice'), question: 'ship it?' }, swarm.context());
  await swarm.broker.gateway.remind(
    { ...caller('alice'), message: 'later', delay_seconds: 60 },
    swarm.context(),
  );
  await settled();
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

const caller = (agent: string) => ({
  credential: swarm.token(agent),
  request_id: swarm.broker.requestId(),
  session: 's',
});
const credential = () => ({ credential: swarm.token('alice') });
const request = () => ({ request_id: swarm.broker.requestId() });
const page = { before: 'm9', limit: 5 };

/** A right request of every method, with every field that it can have. */
const GATEWAY: Omit<Requests<BrokerGatewayApi>, 'remind'> & { remind: () => object } = {
  authenticate: () => credential(),
  send: () => ({
    ...caller('alice'),
    to: 'bob',
    body: 'x',
    in_reply_to: 'm1',
    priority: 'low',
    idempotency_key: swarm.broker.requestId(),
  }),
  recv: () => ({ ...caller('alice'), max: 1, wait_ms: 0 }),
  get_thread: () => ({ ...credential(), id: 'm1' }),
  whoami: () => credential(),
  list_agents: () => credential(),
  set_status: () => ({ ...credential(), text: 'at work' }),
  request_next_turn: () => ({ credential: turn.run }),
  ack: () => ({ credential: swarm.token('alice'), session: 's', ids: ['m1'] }),
  search_messages: () => ({ ...credential(), query: 'hi', limit: 5 }),
  ask: () => ({
    ...caller('alice'),
    question: 'and?',
    options: ['a', 'b'],
    multi: true,
    ttl_seconds: 60,
    to: 'bob',
  }),
  answer: () => ({ ...caller('bob'), id: 'q1', answer: 'yes' }),
  list_my_asks: () => credential(),
  cancel_ask: () => ({ ...caller('alice'), id: 'q1' }),
  remind: () => ({
    ...caller('alice'),
    message: 'do it',
    delay_seconds: 60,
    every: '0 * * * *',
    every_tz: 'UTC',
    file_path: 'reminders/x.md',
  }),
  list_my_reminders: () => credential(),
  cancel_reminder: () => ({ ...caller('alice'), id: 'r1' }),
  cancel_question: () => ({ ...caller('manager'), id: 'q1' }),
  get_open_threads: () => ({ ...credential(), scope: 'mine' }),
  hello: () => ({ ...credential(), ...helloRequest(1) }),
  poll_turn: () => ({ ...credential(), ...pollRequest(1, 'another run') }),
  heartbeat: () => ({
    credential: swarm.token('bob'),
    turn_id: turn.turn_id,
    instance: 1,
    turn_state: 'running',
    confirm: ['c1'],
    wait_seconds: 0,
  }),
  turn_events: () => ({
    credential: swarm.token('bob'),
    turn_id: turn.turn_id,
    instance: 1,
    events: [{ n: 0, at: isoTime(0), kind: 'text', text: 'x' }],
  }),
  end_turn: () => ({ credential: swarm.token('bob'), turn_id: turn.turn_id, end: endRequest(1) }),
  wake: () => ({ ...credential(), ...request(), from: 'ci', body: 'x' }),
  answers_written: () => ({ request_ids: [swarm.broker.requestId()] }),
  session_closed: () => ({ credential: swarm.token('alice'), session: 's' }),
  agent_sockets: () => ({}),
};

const DASHBOARD: Omit<Requests<BrokerDashboardApi>, 'messages'> & { messages: () => object } = {
  snapshot: () => ({ messages: 5 }),
  send: () => ({
    ...request(),
    to: 'bob',
    body: 'x',
    in_reply_to: 'm1',
    priority: 'low',
    idempotency_key: swarm.broker.requestId(),
  }),
  mark_read: () => ({ id: 'm1' }),
  messages: () => ({ ...page, agent: 'bob' }),
  agent_inbox: () => ({ ...page, agent: 'bob' }),
  agent_turns: () => ({ agent: 'bob', before: 't9', limit: 5 }),
  agent_events: () => ({ agent: 'bob', turn_id: 't1', limit: 5 }),
  agent_stats: () => ({ agent: 'bob', window: '24h' }),
  command: () => ({ ...request(), agent: 'bob', kind: 'model', model: 'opus', discard: false }),
  retry_delivery: () => ({ ...request(), id: 'm1.2' }),
  dead_deliveries: () => ({ agent: 'bob', before: 'm1.2', limit: 5 }),
  search: () => ({ ...page, query: 'hi', agent: 'bob' }),
  questions: () => ({ agent: 'alice', state: 'open', before: 'q9', limit: 5 }),
  answer_question: () => ({ ...request(), id: 'q1', answer: 'yes' }),
  cancel_question: () => ({ ...request(), id: 'q1' }),
  reminders: () => ({ agent: 'alice', state: 'pending', before: 'r9', limit: 5 }),
  retry_reminder: () => ({ ...request(), id: 'r1' }),
  cancel_reminder: () => ({ ...request(), id: 'r1' }),
  agent_threads: () => ({ agent: 'alice' }),
  needs_you: () => ({}),
  wake: () => ({ ...request(), agent: 'bob', from: 'ci', body: 'x' }),
  release: () => ({ agent: 'bob' }),
};

const C0RE: Requests<BrokerC0reApi> = {
  put_registry: () => ({
    revision: 9,
    agents: [registryAgent(1, 'alice'), registryAgent(2, 'bob')],
  }),
  put_agent: () => ({ revision: 2, agent: registryAgent(4, 'carol') }),
  registry_revision: () => ({}),
  agent_signs: () => ({}),
  instance_ended: () => ({ agent_id: '2', instance: 1 }),
  open_restart_window: () => ({
    operation: 'o1',
    agents: ['2'],
    text: 'restarted',
    instances: { '2': 1 },
  }),
  restart_window: () => ({ operation: 'o1' }),
  tell_manager: () => ({ key: 'k', event: 'spawned', body: 'x' }),
  put_waiting: () => ({ approvals: [] }),
  identify: () => credential(),
  close_restart_window: () => ({ operation: 'o1' }),
  purge_agent: () => ({ agent_id: '7' }),
  publish: () => ({ events: [] }),
};

const SCHEDULER: Requests<BrokerSchedulerApi> = {
  take_jobs: () => ({ limit: 5 }),
  jobs_added: () => ({ through: 0 }),
  wanted_jobs: () => ({ queue: 'reminders', after: 'x', limit: 5 }),
  still_wanted: () => ({ job_ids: ['rem-r1-1-1'] }),
  fire_reminders: () => ({ jobs: [{ id: 'r1', occurrence: 1, attempt: 1 }] }),
  deliver_chunks: () => ({ jobs: [{ message: 'm1', chunk: 0 }] }),
  expire_questions: () => ({ jobs: [{ id: 'q1' }] }),
  sweep_leases: () => ({}),
  check_wakes: () => ({}),
  sweep_retention: () => ({}),
};

const TABLES = { gateway: GATEWAY, dashboard: DASHBOARD, c0re: C0RE, scheduler: SCHEDULER };
type Table = keyof typeof TABLES;
const METHODS = Object.entries(TABLES).flatMap(([table, methods]) =>
  Object.entries(methods).map(([method, right]): [Table, string, () => object] => [
    table as Table,
    method,
    right,
  ]),
);

/** Carries out a request as a socket would: the code of its refusal, "accepted", or the fault of the broker itself. */
async function outcome(table: Table, method: string, params: unknown): Promise<string> {
  const handlers = swarm.broker[table] as Record<string, (...args: unknown[]) => unknown>;
  try {
    await handlers[method]?.(params, swarm.context());
    return 'accepted';
  } catch (error) {
    return error instanceof HiveError ? error.code : `a bug: ${String(error)}`;
  }
}

/** What the store was changed by since it was opened. */
const changes = () =>
  swarm.broker.app.get(ThreadsDb).db.prepare('SELECT total_changes()').pluck().get();

type Path = readonly (string | number)[];

/** Every place in a request, also inside its objects and lists. */
function placesIn(value: unknown, path: Path = []): { path: Path; value: unknown }[] {
  if (typeof value !== 'object' || value === null) return [];
  const places: { path: Path; value: unknown }[] = [];
  for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    places.push({ path: at, value: inner }, ...placesIn(inner, at));
  }
  return places;
}

/** The request with another value in one place; undefined leaves it out. */
function changed(from: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(from))
    return from.map((inner: unknown, at) => (at === key ? changed(inner, rest, value) : inner));
  const fields = { ...(from as Record<string, unknown>) };
  if (rest.length === 0 && value === undefined) delete fields[key];
  else fields[key] = changed(fields[key], rest, value);
  return fields;
}

/** Values of a wrong type, out of bounds, or not storable, by what belongs there. */
function badFor(right: unknown): unknown[] {
  const never = [true, { a: 1 }, [[]], [{ a: 1 }], () => 1];
  if (typeof right === 'number') return [...never, '1', -1, 1.5, Number.NaN, Infinity, 10n, '\0'];
  if (typeof right === 'boolean') return [0, 'yes', { a: 1 }, []];
  if (typeof right === 'string')
    return [...never, 7, 'a\0b', '\ud800', '\udc00a', 'x'.repeat(100_000)];
  if (Array.isArray(right))
    return [7, { a: 1 }, [7], [null], [['x']], Array.from({ length: 100_001 }, () => 'x')];
  return [7, 'x', [], true];
}

const isText = (value: unknown) => typeof value === 'string';

/**
 * Places that take more than their example shows: `method` and the fields, without the positions in lists. The values
 * are those that then count as right.
 */
const RIGHT_THERE: Record<string, (value: unknown) => boolean> = {
  // The gateway's and c0re's own names: compared, never shown.
  session: isText,
  'open_restart_window operation': isText,
  'close_restart_window operation': isText,
  'put_agent agent run_dir': isText,
  'put_registry agents run_dir': isText,
  // What nobody knows is ignored, or said to be unknown, whatever it looks like.
  in_reply_to: isText,
  'answers_written request_ids': isText,
  'wanted_jobs after': isText,
  'still_wanted job_ids': isText,
  'expire_questions jobs id': isText,
  // What a program wrote: a turn must be able to end whatever that was.
  'turn_events events text': isText,
  'end_turn end note': isText,
  'end_turn end telemetry model': isText,
  'hello model': isText,
  'hello hyperhive_rev': isText,
  'put_agent agent reason': isText,
  'put_registry agents reason': isText,
  // Null in the example.
  'end_turn end shown': Array.isArray,
  'end_turn end telemetry cost_usd': (value) => typeof value === 'number',
  'put_agent agent model': isText,
  'put_agent agent deployed_sha': isText,
  'put_registry agents model': isText,
  'put_registry agents deployed_sha': isText,
};

function isRightThere(method: string, path: Path, value: unknown): boolean {
  const fields = path.filter((key) => typeof key === 'string');
  const right = RIGHT_THERE[[method, ...fields].join(' ')] ?? RIGHT_THERE[fields.join(' ')];
  return right?.(value) ?? false;
}

const REFUSALS = new Set([
  'invalid_request',
  'unknown_field',
  'body_too_long',
  'not_found',
  'unknown_recipient',
  'unauthorized',
]);

describe(verifies('P33', '1.1', '8.3') + 'a request of the broker', () => {
  it.each(METHODS)('%s %s: what is right is not refused as wrong', async (table, method, right) => {
    const result = await outcome(table, method, right());
    expect(['accepted', 'not_found', 'conflict']).toContain(result);
  });

  it.each(METHODS)('%s %s refuses every wrong value and changes nothing', async (...test) => {
    const [table, method, right] = test;
    const wrong: string[] = [];
    for (const { path, value } of placesIn(right()))
      for (const bad of badFor(value)) {
        if (isRightThere(method, path, bad)) continue;
        const before = changes();
        const result = await outcome(table, method, changed(right(), path, bad));
        const how = changes() === before ? result : `${result}, and changed the store`;
        if (!REFUSALS.has(how)) wrong.push(`${path.join('.')} ${describeValue(bad)}: ${how}`);
      }
    expect(wrong).toEqual([]);
  });

  it.each(METHODS)('%s %s refuses unknown fields and what is no object', async (...test) => {
    const [table, method, right] = test;
    const before = changes();
    expect(await outcome(table, method, { ...right(), surprise: 1 })).toMatch(
      /^(unknown_field|invalid_request)$/,
    );
    for (const params of [null, undefined, 'x', 7, [right()], true])
      expect(await outcome(table, method, params)).toBe('invalid_request');
    expect(changes()).toBe(before);
  });
});

function describeValue(value: unknown): string {
  if (typeof value === 'function' || typeof value === 'bigint') return String(value);
  return (JSON.stringify(value) ?? String(value)).slice(0, 40);
}
