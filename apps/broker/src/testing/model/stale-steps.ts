import { isoTime } from '#libs/protocol';

import type { AgentName } from './actions.js';
import { dump, runIsLive } from './checks.js';
import type { HarnessClient } from './harness-client.js';
import { noteEnd } from './harness-steps.js';
import { Violation } from './ledger.js';
import { newBody, valueOf } from './outcome.js';
import type { SimCall } from './sim-gateway.js';
import { agentToken, type World } from './world.js';

// What comes too late: old harnesses, orphaned CLIs, repeated requests.

/** An old harness that was stopped for a while goes on after its successor said hello. */
export async function zombie(
  world: World,
  agent: AgentName,
  call: 'end' | 'poll' | 'heartbeat' | 'hello',
): Promise<void> {
  const harness = world.harnesses.get(agent) as HarnessClient;
  const old = harness.zombie;
  if (!old || !harness.saidHello || harness.instance <= old.instance) return;
  const credential = agentToken(agent);
  const at = isoTime(world.clock.now());
  if (call === 'end') {
    if (!old.turn) return;
    noteEnd(world, agent, old.turn, 'ok', 0);
    const client = Object.assign(Object.create(harness) as HarnessClient, {
      instance: old.instance,
      turn: old.turn,
      ends: [],
    });
    const record = client.finish('ok', 0, at);
    world.call('gateway', 'end_turn', { credential, ...record }, { caller: agent });
    return;
  }
  const before = dump(world.db);
  const base = { credential, instance: old.instance };
  if (call === 'poll')
    world.call(
      'gateway',
      'poll_turn',
      {
        ...base,
        run_token_hash: old.turn?.run ?? harness.newRun(),
        last_turn_id: null,
        wait_seconds: 0,
        confirm: [],
      },
      expectRefusal(world, agent),
    );
  else if (call === 'heartbeat')
    world.call(
      'gateway',
      'heartbeat',
      {
        ...base,
        turn_id: old.turn?.id ?? 't1',
        turn_state: 'running',
        confirm: [],
        wait_seconds: 0,
      },
      expectRefusal(world, agent),
    );
  else
    world.call(
      'gateway',
      'hello',
      { ...base, driver: 'claude', model: null, hyperhive_rev: 'r', started_at: at, ends: [] },
      expectRefusal(world, agent),
    );
  await unchanged(world, before, `a ${call} of an old instance`);
}

/** The CLI of a dead harness goes on. */
export async function orphan(world: World, agent: AgentName, call: 'send' | 'recv'): Promise<void> {
  const harness = world.harnesses.get(agent) as HarnessClient;
  const run = harness.orphan;
  if (run === undefined) return;
  const live = runIsLive(world.db, run);
  const before = dump(world.db);
  const request = { credential: run, request_id: world.requestId(), session: `s-${run}` };
  const params =
    call === 'send'
      ? { ...request, to: 'ext', body: newBody() }
      : { ...request, max: 3, wait_ms: 0 };
  world.ledger.lostSight();
  world.call(
    'gateway',
    call,
    params,
    live ? { caller: agent, run } : expectRefusal(world, agent, run),
  );
  if (!live) await unchanged(world, before, `a ${call} of a revoked run`);
}

export function expectRefusal(world: World, agent: AgentName, run?: string) {
  return {
    caller: agent,
    run,
    arrive: (call: SimCall) => {
      if (valueOf(call) !== undefined)
        throw new Violation('I4', `${call.method} of a revoked run or instance was carried out`);
    },
  };
}

export async function unchanged(world: World, before: string, what: string): Promise<void> {
  const { broker } = world;
  await world.settle();
  if (world.broker === broker && dump(world.db) !== before)
    throw new Violation('I4', `${what} changed rows`);
}

export async function replay(world: World, pick: number): Promise<void> {
  const { answered } = world.ledger;
  const request = answered[pick % Math.max(1, answered.length)];
  if (!request) return;
  const { broker } = world;
  world.ledger.repeated += 1;
  const before = dump(world.db);
  world.call(socketOf(request), request.method, request.params, { caller: 'replay' });
  for (let n = 0; n < 8; n += 1) await new Promise((resolve) => setImmediate(resolve));
  const after = dump(world.db);
  world.gateway.harvest();
  if (world.broker === broker && after !== before) {
    throw new Violation(
      'I7',
      `repeating ${request.method} ${JSON.stringify(request.params)} changed rows:\n${before}\n${after}`,
    );
  }
}

function socketOf({
  method,
  params,
}: {
  method: string;
  params: object;
}): 'dashboard' | 'gateway' | 'scheduler' {
  if (method === 'jobs_added') return 'scheduler';
  return method === 'send' && !('credential' in params) ? 'dashboard' : 'gateway';
}
