import type { BrokerGatewayApi, SendResult } from '#libs/protocol';

import { AGENTS, type Action, type AgentName } from './actions.js';
import { isDriven, newBody, valueOf } from './outcome.js';
import { agentToken, type World } from './world.js';

// What agents promise and owe: broadcasts, questions, reminders.

/** Credential and run of the agent's CLI, or of the bare client; undefined when it has no turn to act in. */
function speaker(
  world: World,
  agent: AgentName,
): { credential: string; run: string | undefined } | undefined {
  const run = isDriven(agent) ? world.harnesses.get(agent)?.turn?.run : undefined;
  if (isDriven(agent) && run === undefined) return undefined;
  return { credential: run ?? agentToken(agent), run };
}

export function broadcast(
  world: World,
  { from, to, priority, lose }: Extract<Action, { do: 'broadcast' }>,
): void {
  const body = newBody();
  const message = { to: to === '*' ? to : [...to], body, priority, request_id: world.requestId() };
  const others = to === '*' ? AGENTS.filter((name) => name !== from) : to;
  const { unseen } = world.ledger;
  const arrive = (sent: SendResult | undefined) => {
    if (!sent || lose) return;
    world.ledger.fannedOut.set(sent.id, others);
    world.ledger.sent.set(sent.id, { to: '*', priority, unseen });
  };
  if (from === 'operator') {
    world.call('dashboard', 'send', message, {
      caller: 'operator',
      arrive: (call) => arrive(valueOf<SendResult>(call)),
    });
    return;
  }
  const by = speaker(world, from);
  if (!by) return;
  const params = { ...message, credential: by.credential, session: `s-${by.credential}` };
  world.call('gateway', 'send', params, {
    caller: from,
    run: by.run,
    arrive: (call) => arrive(valueOf<SendResult>(call)),
  });
}

export function ask(world: World, { from, to, ttl }: Extract<Action, { do: 'ask' }>): void {
  if (to === from) return;
  act(world, from, 'ask', {
    question: newBody(),
    to,
    ...(ttl === undefined ? {} : { ttl_seconds: ttl }),
  });
}

export function answer(world: World, { by, pick }: Extract<Action, { do: 'answer' }>): void {
  const id = pickOf(world, 'SELECT id FROM questions ORDER BY id', 'q', pick);
  if (id === undefined) return;
  if (by !== 'operator') return act(world, by, 'answer', { id, answer: newBody() });
  const params = { id, answer: newBody(), request_id: world.requestId() };
  world.call('dashboard', 'answer_question', params, { caller: 'operator' });
}

export function cancelAsk(world: World, { by, pick }: Extract<Action, { do: 'cancel_ask' }>): void {
  const id = pickOf(world, 'SELECT id FROM questions ORDER BY id', 'q', pick);
  if (id === undefined) return;
  if (by === 'operator') world.call('dashboard', 'cancel_question', { id }, { caller: 'operator' });
  else act(world, by, 'cancel_ask', { id });
}

export function remind(
  world: World,
  { agent, delay, every }: Extract<Action, { do: 'remind' }>,
): void {
  act(world, agent, 'remind', {
    message: newBody(),
    delay_seconds: delay,
    ...(every ? { every: 'PT2M' } : {}),
  });
}

export function cancelReminder(
  world: World,
  { agent, pick }: Extract<Action, { do: 'cancel_reminder' }>,
): void {
  const id = pickOf(world, 'SELECT id FROM reminders ORDER BY id', 'r', pick);
  if (id !== undefined) act(world, agent, 'cancel_reminder', { id });
}

type Changing = 'ask' | 'answer' | 'cancel_ask' | 'remind' | 'cancel_reminder';

function act<K extends Changing>(
  world: World,
  agent: AgentName,
  method: K,
  params: Omit<BrokerGatewayApi[K][0], 'credential' | 'session' | 'request_id'>,
): void {
  const by = speaker(world, agent);
  if (!by) return;
  const { credential, run } = by;
  world.call(
    'gateway',
    method,
    { ...params, credential, session: `s-${credential}`, request_id: world.requestId() },
    { caller: agent, run },
  );
}

function pickOf(world: World, sql: string, kind: 'q' | 'r', pick: number): string | undefined {
  const ids = world.db.prepare(sql).pluck().all() as number[];
  const id = ids.at(-1 - (pick % Math.max(1, Math.min(ids.length, 6))));
  return id === undefined ? undefined : `${kind}${id}`;
}
