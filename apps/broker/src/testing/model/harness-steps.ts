import {
  isoTime,
  type EndAnswer,
  type HeartbeatAnswer,
  type PollAnswer,
  type ResultKind,
} from '#libs/protocol';

import type { AgentName } from './actions.js';
import { normalWaits } from './checks.js';
import type { HarnessClient, KnownTurn } from './harness-client.js';
import { key, Violation } from './ledger.js';
import { codeOf, valueOf } from './outcome.js';
import { agentToken, type World } from './world.js';

// What a harness does, and c0re for it.

/** A turn that ended in one of these failed on its own account. */
const OWN_FAILURES = new Set<ResultKind>(['failed', 'timed_out', 'prompt_too_long']);

export async function poll(world: World, agent: AgentName, lose: boolean): Promise<void> {
  const harness = world.harnesses.get(agent) as HarnessClient;
  if (!harness.alive || !harness.saidHello || harness.turn) return;
  if (harness.ends.length > 0) return sendEnd(world, harness, false);
  const run = harness.run;
  const normalWaited = normalWaits(world.db, world.idOf(agent), world.clock.now());
  const params = {
    credential: agentToken(agent),
    instance: harness.instance,
    run_token_hash: run,
    last_turn_id: harness.lastTurn,
    wait_seconds: 20,
    confirm: harness.confirm.splice(0),
  };
  world.call('gateway', 'poll_turn', params, {
    caller: agent,
    arrive: (call) => {
      const answer = valueOf<PollAnswer>(call);
      if (!answer) {
        if (codeOf(call) === 'superseded') harness.run = harness.newRun();
        return;
      }
      if (!answer.turn) {
        harness.confirm = answer.commands.map((command) => command.id);
        return;
      }
      if (answer.turn.messages.length === 0)
        throw new Violation('I12', 'a turn was granted without a message');
      world.ledger.signs.set(answer.turn.turn_id, world.clock.monotonic());
      world.ledger.countUrgent(agent, answer.turn.messages, normalWaited);
      if (lose || !harness.alive) world.ledger.lostSight();
      else harness.begin(answer.turn);
    },
  });
}

export async function endTurn(
  world: World,
  agent: AgentName,
  kind: ResultKind,
  forget: number,
  lose: boolean,
): Promise<void> {
  const harness = world.harnesses.get(agent);
  if (!harness?.alive || !harness.turn) return;
  noteEnd(world, agent, harness.turn, kind, forget);
  harness.finish(kind, forget, isoTime(world.clock.now()));
  world.gateway.giveUp((call) => call.caller === agent && call.run !== undefined);
  return sendEnd(world, harness, lose);
}

/** What an end with these words may bring about, once the broker has it. */
export function noteEnd(
  world: World,
  agent: AgentName,
  turn: KnownTurn,
  kind: ResultKind,
  forget: number,
): void {
  if (OWN_FAILURES.has(kind)) world.ledger.failed(agent, turn.wake, turn.id);
  if (kind !== 'ok') return;
  const shown = [...turn.shown];
  const named = agent === 'cmd' ? shown : shown.slice(0, Math.max(1, shown.length - forget));
  for (const message of named) world.ledger.ackable.add(key(agent, message));
}

export async function sendEnd(world: World, harness: HarnessClient, lose: boolean): Promise<void> {
  const record = harness.ends[0];
  if (!record) return;
  const params = { credential: agentToken(harness.name), turn_id: record.turn_id, end: record.end };
  world.ledger.excused.add(record.turn_id);
  world.call('gateway', 'end_turn', params, {
    caller: harness.name,
    arrive: (call) => {
      if (valueOf<EndAnswer>(call) && !lose)
        harness.ends = harness.ends.filter((other) => other !== record);
    },
  });
}

export async function heartbeat(world: World, agent: AgentName): Promise<void> {
  const harness = world.harnesses.get(agent) as HarnessClient;
  const { turn } = harness;
  if (!harness.alive || !turn) return;
  const params = {
    credential: agentToken(agent),
    turn_id: turn.id,
    instance: harness.instance,
    turn_state: 'running',
    confirm: harness.confirm.splice(0),
    wait_seconds: 0,
  };
  world.call('gateway', 'heartbeat', params, {
    caller: agent,
    arrive: (call) => {
      const answer = valueOf<HeartbeatAnswer>(call);
      if (answer) {
        world.ledger.signs.set(turn.id, world.clock.monotonic());
        harness.confirm = answer.commands.map((command) => command.id);
      } else if (codeOf(call) === 'superseded' && harness.turn === turn) {
        // The lease is over: the harness ends its CLI and says so; nothing of it counts.
        world.gateway.giveUp((other) => other.run === turn.run);
        harness.finish('failed', 0, isoTime(world.clock.now()));
        harness.run = harness.newRun();
      }
    },
  });
}

export async function killHarness(
  world: World,
  agent: AgentName,
  keepZombie: boolean,
): Promise<void> {
  const harness = world.harnesses.get(agent) as HarnessClient;
  if (!harness.alive) return;
  const gone = world.gateway.giveUp((call) => call.caller === agent && call.run === undefined);
  if (gone > 0) world.ledger.lostSight();
  harness.helloOnItsWay = false;
  harness.die(keepZombie);
}

export async function reportDeath(world: World, agent: AgentName): Promise<void> {
  const harness = world.harnesses.get(agent) as HarnessClient;
  if (harness.alive || harness.instance === 0 || harness.zombie) return;
  excuseLiveTurn(world, agent);
  world.call(
    'c0re',
    'instance_ended',
    { agent_id: String(world.idOf(agent)), instance: harness.instance },
    { caller: 'c0re' },
  );
}

/** c0re starts the next instance, which ends the old CLI and says hello. */
export async function hello(world: World, agent: AgentName, lose: boolean): Promise<void> {
  const harness = world.harnesses.get(agent) as HarnessClient;
  if (harness.saidHello || harness.helloOnItsWay) return;
  if (!harness.alive) {
    harness.alive = true;
    harness.instance += 1;
    await world.putAgent(agent);
  }
  if (world.gateway.giveUp((call) => call.caller === agent && call.run !== undefined) > 0)
    world.ledger.lostSight();
  excuseLiveTurn(world, agent);
  harness.helloOnItsWay = true;
  const ends = [...harness.ends];
  const at = isoTime(world.clock.now());
  const params = {
    credential: agentToken(agent),
    instance: harness.instance,
    driver: agent === 'cmd' ? 'command' : 'claude',
    model: null,
    hyperhive_rev: 'r',
    started_at: at,
    ends,
  };
  world.call('gateway', 'hello', params, {
    caller: agent,
    arrive: (call) => {
      harness.helloOnItsWay = false;
      if (!valueOf(call) || lose) return;
      harness.saidHello = true;
      harness.ends = harness.ends.filter((end) => !ends.includes(end));
    },
  });
}

export function excuseLiveTurn(world: World, agent: AgentName): void {
  const live = world.db
    .prepare(`SELECT 't' || id FROM turns WHERE agent = ? AND ended_at IS NULL`)
    .pluck();
  for (const turn of live.all(world.idOf(agent)) as string[]) world.ledger.excused.add(turn);
}

/** c0re announces a planned restart of the agent, or says that it is over (P24). */
export function restartWindow(
  world: World,
  { agent, close }: { agent: AgentName; close: boolean },
): void {
  const harness = world.harnesses.get(agent) as HarnessClient;
  const operation = `restart-${agent}-${harness.instance}`;
  if (close) {
    world.call('c0re', 'close_restart_window', { operation }, { caller: 'c0re' });
    return;
  }
  const params = { operation, agents: [String(world.idOf(agent))], text: 'you were restarted' };
  world.call('c0re', 'open_restart_window', params, { caller: 'c0re' });
}
