import type { Action } from './actions.js';
import { ack, closeSession, nextTurn, recv, send } from './cli-steps.js';
import {
  endTurn,
  heartbeat,
  hello,
  killHarness,
  poll,
  reportDeath,
  restartWindow,
} from './harness-steps.js';
import { redis } from './job-steps.js';
import { answer, ask, broadcast, cancelAsk, cancelReminder, remind } from './promise-steps.js';
import { orphan, replay, zombie } from './stale-steps.js';
import type { World } from './world.js';

/** Carries out one step of a run, then lets the world settle and checks it. */
export async function perform(world: World, action: Action): Promise<void> {
  await step(world, action);
  await world.settle();
  world.check();
}

// A table of what can happen: one case per action.
async function step(world: World, action: Action): Promise<void> {
  switch (action.do) {
    case 'send':
      return send(world, action);
    case 'poll':
      return poll(world, action.agent, action.lose);
    case 'recv':
      return recv(world, action);
    case 'end':
      return endTurn(world, action.agent, action.kind, action.forget, action.lose);
    case 'broadcast':
      return broadcast(world, action);
    case 'ask':
      return ask(world, action);
    case 'answer':
      return answer(world, action);
    case 'cancel_ask':
      return cancelAsk(world, action);
    case 'remind':
      return remind(world, action);
    case 'cancel_reminder':
      return cancelReminder(world, action);
    case 'redis':
      return redis(world, action);
    case 'window':
      return restartWindow(world, action);
    case 'heartbeat':
      return heartbeat(world, action.agent);
    case 'next_turn':
      return nextTurn(world, action.agent);
    case 'ack':
      return ack(world, action.agent, action.pick);
    case 'close_session':
      return closeSession(world);
    case 'kill_harness':
      return killHarness(world, action.agent, action.zombie);
    case 'report_death':
      return reportDeath(world, action.agent);
    case 'hello':
      return hello(world, action.agent, action.lose);
    case 'zombie':
      return zombie(world, action.agent, action.call);
    case 'orphan':
      return orphan(world, action.agent, action.call);
    case 'registry':
      world.states.set(action.agent, action.state);
      return world.putAgent(action.agent);
    case 'command':
      world.call(
        'dashboard',
        'command',
        { agent: action.agent, kind: action.kind, discard: action.discard, model: 'm' },
        { caller: 'operator' },
      );
      return;
    case 'release':
      world.call('dashboard', 'release', { agent: action.agent }, { caller: 'operator' });
      return;
    case 'replay':
      return replay(world, action.pick);
    case 'abandon_calls':
      if (world.gateway.giveUp((call) => call.caller === action.agent) > 0) {
        world.ledger.lostSight();
        const harness = world.harnesses.get(action.agent);
        if (harness) harness.helloOnItsWay = false;
      }
      return;
    case 'drop_link':
      return world.dropLink();
    case 'advance':
      return world.advance(action.ms);
    case 'jump':
      world.jump(action.ms);
      return;
    case 'crash':
      if (action.at === 'now') await world.restart();
      else world.armCrash(action.at);
      return;
  }
}
