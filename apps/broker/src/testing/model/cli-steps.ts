import type { RecvResult, SendResult } from '#libs/protocol';

import type { Action, AgentName } from './actions.js';
import { normalWaits } from './checks.js';
import { key } from './ledger.js';
import { isDriven, newBody, valueOf } from './outcome.js';
import type { SimCall } from './sim-gateway.js';
import { agentToken, type World } from './world.js';

// What an agent's CLI, a bare client and the operator do.

export function send(
  world: World,
  { from, to, priority, lose }: Extract<Action, { do: 'send' }>,
): void {
  const params = { to, body: newBody(), priority, request_id: world.requestId() };
  const { unseen } = world.ledger;
  const arrive = (call: SimCall) => {
    const answer = valueOf<SendResult>(call);
    if (answer && !lose) world.ledger.sent.set(answer.id, { to, priority, unseen });
  };
  if (from === 'operator') {
    world.call('dashboard', 'send', params, { caller: 'operator', arrive });
    return;
  }
  const run = isDriven(from) ? world.harnesses.get(from)?.turn?.run : undefined;
  if (isDriven(from) && run === undefined) return;
  const credential = run ?? agentToken(from);
  world.call(
    'gateway',
    'send',
    { ...params, credential, session: `s-${credential}` },
    { caller: from, run, arrive },
  );
}

export async function recv(world: World, action: Extract<Action, { do: 'recv' }>): Promise<void> {
  const { agent, max, wait, lose, report } = action;
  const turn = world.harnesses.get(agent)?.turn;
  if (isDriven(agent) && !turn) return;
  const { bare } = world;
  const session = turn ? `s-${turn.run}` : `s${bare.session}`;
  const request = world.requestId();
  if (!turn) for (const message of bare.reported) world.ledger.ackable.add(key(agent, message));
  const normalWaited = normalWaits(world.db, world.idOf(agent), world.clock.now());
  world.call(
    'gateway',
    'recv',
    {
      credential: turn?.run ?? agentToken(agent),
      request_id: request,
      session,
      max,
      wait_ms: wait ? 30_000 : 0,
    },
    {
      caller: agent,
      run: turn?.run,
      arrive: (call) => {
        const messages = valueOf<RecvResult>(call)?.messages ?? [];
        world.ledger.countUrgent(agent, messages, normalWaited && !wait);
        if (lose) {
          world.ledger.lostSight();
          return;
        }
        const shown = turn ? turn.shown : bare.shown;
        for (const message of messages) shown.add(message.id);
        if (!report) return;
        if (!turn) for (const message of messages) bare.reported.add(message.id);
        world.call('gateway', 'answers_written', { request_ids: [request] }, { caller: 'gateway' });
      },
    },
  );
}

export async function nextTurn(world: World, agent: AgentName): Promise<void> {
  const run = world.harnesses.get(agent)?.turn?.run;
  if (run) world.call('gateway', 'request_next_turn', { credential: run }, { caller: agent, run });
}

export async function ack(world: World, agent: AgentName, pick: number): Promise<void> {
  const turn = world.harnesses.get(agent)?.turn;
  if (isDriven(agent) && !turn) return;
  const shown = [...(turn?.shown ?? world.bare.shown)];
  const message = shown[pick % Math.max(1, shown.length)];
  if (message === undefined) return;
  world.ledger.ackable.add(key(agent, message));
  const session = turn ? `s-${turn.run}` : `s${world.bare.session}`;
  const params = { credential: turn?.run ?? agentToken(agent), session, ids: [message] };
  world.call('gateway', 'ack', params, { caller: agent, run: turn?.run });
}

export async function closeSession(world: World): Promise<void> {
  const params = { credential: agentToken('ext'), session: `s${world.bare.session}` };
  if (world.gateway.giveUp((call) => call.caller === 'ext') > 0) world.ledger.lostSight();
  world.call('gateway', 'session_closed', params, { caller: 'gateway' });
  world.bare.session += 1;
  world.bare.shown.clear();
  world.bare.reported.clear();
}
