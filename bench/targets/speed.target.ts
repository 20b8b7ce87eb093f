import { makeAgents, type BenchAgent } from '../bench-agents.js';
import type { Door } from '../doors/door.js';
import { HarnessDoor } from '../doors/harness.door.js';
import { InProcessBroker } from '../doors/in-process.js';
import { McpDoor } from '../doors/mcp.door.js';
import { socketDoor } from '../doors/rpc.door.js';
import type { Extent } from '../extent.js';
import { HiveUnderTest } from '../hive-under-test.js';
import { acceptedPerSecond, idleTimes, pairsPerSecond, type Pair, type Rate } from '../loads.js';
import { LoopDelays } from '../loop-delay.js';
import { cpuMicroseconds } from '../process-usage.js';
import type { ResultRow } from '../report.js';
import { median, percentile } from '../statistics.js';
import { measureG, Yardstick } from '../yardsticks.js';
import { listsPerSecond } from './mcp-lists.js';

/** Pairs of the loads of targets 2 and 3, and senders of target 1. */
const PAIRS = 64;
const SENDERS = 128;
/** Pairs of target 13: messages in flight. */
const WIDE_PAIRS = 256;
/** Commits of each look at G: about half a second. */
const G_COMMITS = 120;

interface Load {
  target: string;
  what: string;
  goal: number;
  run: (ms: number) => Promise<Rate>;
  /** Processes that serve it, with the goal of target 6: microseconds of processor time per message. */
  servers?: { pids: number[]; goal: number };
}
interface Idle {
  what: string;
  goal: number;
  door: Door;
  pair: Pair;
}

/** Targets 1 to 4: messages per second and the time of one message, at each door, beside G and F1 of the same round. */
export async function measureSpeed(
  extent: Extent,
  tell: (text: string) => void,
): Promise<ResultRow[]> {
  const sinks = pairUp(makeAgents('s', SENDERS, 'external'), makeAgents('t', SENDERS, 'external'));
  const pairs = pairUp(makeAgents('a', PAIRS, 'external'), makeAgents('b', PAIRS, 'external'));
  const wide = pairUp(
    makeAgents('v', WIDE_PAIRS, 'external'),
    makeAgents('w', WIDE_PAIRS, 'external'),
  );
  const woken = makeAgents('h', PAIRS, 'command').map((agent): Pair => [agent, agent]);
  const [lone, loneWoken] = [pairs[0], woken[0]];
  if (!lone || !loneWoken) throw new Error('no agents');
  const harnesses = woken.map(([agent]) => agent);
  const agents = [...sinks.flat(), ...pairs.flat(), ...wide.flat(), ...harnesses];

  const local = await InProcessBroker.start(agents);
  const hive = await HiveUnderTest.start({ agents, gateway: true, manyTurns: true });
  const socket = socketDoor(hive.brokerSocket);
  tell('opening a session for each agent …');
  const mcp = await McpDoor.open(hive.gatewayUrl, pairs.flat());
  const http = await HarnessDoor.open(hive.gatewayUrl, harnesses);
  try {
    const broker = hive.pid('broker');
    const gateway = hive.pid('gateway');
    const loads: Load[] = [
      {
        target: '1',
        what: `send accepted, ${SENDERS} senders, in process`,
        goal: 0.5,
        run: (ms) => acceptedPerSecond(local.door(), sinks, ms),
      },
      {
        target: '1',
        what: `send accepted, ${SENDERS} senders, over the socket`,
        goal: 0.35,
        run: (ms) => acceptedPerSecond(socket, sinks, ms),
      },
      {
        target: '2',
        what: 'send to received, 64 pairs, in process',
        goal: 0.35,
        run: (ms) => pairsPerSecond(local.door(), pairs, ms),
      },
      {
        target: '2',
        what: 'the same, each ack committed by a call of its own',
        goal: 0.3,
        run: (ms) => pairsPerSecond(local.door(true), pairs, ms),
      },
      {
        target: '3',
        what: 'sent, received, acked, 64 pairs, over the socket',
        goal: 0.25,
        run: (ms) => pairsPerSecond(socket, pairs, ms),
        servers: { pids: [broker], goal: 90 },
      },
      {
        // NATS JetStream on its file store, which does not sync each message, comes to 0.31 × G (PERFORMANCE).
        target: '13',
        what: `the same with ${WIDE_PAIRS} pairs`,
        goal: 0.31,
        run: (ms) => pairsPerSecond(socket, wide, ms),
      },
      {
        target: '3',
        what: 'the same by the harness API over HTTP (wake, turn, end)',
        goal: 0.06,
        run: (ms) => pairsPerSecond(http, woken, ms),
        servers: { pids: [broker, gateway], goal: 300 },
      },
      {
        target: '3',
        what: 'the same by MCP, one by one',
        goal: 0.015,
        run: (ms) => pairsPerSecond(mcp, pairs, ms),
        servers: { pids: [broker, gateway], goal: 900 },
      },
      {
        target: '3',
        what: 'the same by MCP, sent to lists of 32 and received in batches',
        goal: 0.25,
        run: (ms) => listsPerSecond(mcp, pairs, ms),
      },
    ];
    const idle: Idle[] = [
      { what: 'in process', goal: 1.8, door: local.door(), pair: lone },
      { what: 'over the socket', goal: 4, door: socket, pair: lone },
      { what: 'harness API over HTTP', goal: 7, door: http, pair: loneWoken },
      { what: 'MCP', goal: 16, door: mcp, pair: lone },
    ];
    return await inRounds(extent, loads, idle, new LoopDelays(broker, hive.loopDelayFile), tell);
  } finally {
    await mcp.close();
    await http.close();
    await socket.close();
    await hive.stop();
    await local.stop();
  }
}

function pairUp(senders: readonly BenchAgent[], receivers: readonly BenchAgent[]): Pair[] {
  return senders.map((sender, i): Pair => [sender, receivers[i] ?? sender]);
}

async function inRounds(
  extent: Extent,
  loads: readonly Load[],
  idle: readonly Idle[],
  delays: LoopDelays,
  tell: (text: string) => void,
): Promise<ResultRow[]> {
  const g: number[] = [];
  const rates = loads.map((): number[] => []);
  const costs = loads.map((): number[] => []);
  const times = idle.map((): IdleRun[] => []);
  const yardstick = new Yardstick();
  tell('warming up …');
  for (const load of loads) await load.run(extent.warmUpMs);
  for (let round = 0; round < extent.rounds; round++) {
    tell(`round ${round + 1} of ${extent.rounds} …`);
    for (const [i, { door, pair }] of idle.entries()) {
      const run = await idleTimes(door, pair, extent.idleMessages, yardstick);
      times[i]?.push({
        p50: percentile(run.messages, 0.5),
        p99: percentile(run.messages, 0.99),
        f1: percentile(run.commits, 0.5),
      });
    }
    g.push(measureG(G_COMMITS));
    for (const [i, load] of loads.entries()) {
      const pids = load.servers?.pids ?? [];
      const before = cpuMicroseconds(pids);
      await delays.begin();
      const { perSecond, messages } = await load.run(extent.loadMs);
      if (load.servers) await delays.end(load.what);
      rates[i]?.push(perSecond);
      costs[i]?.push((cpuMicroseconds(pids) - before) / messages);
    }
  }
  yardstick.close();
  return [
    ...loads.map((load, i) => rateRow(load, rates[i] ?? [], g)),
    ...agentMailRows(loads, rates, times),
    ...delays.rows(),
    ...loads.flatMap((load, i) => costRows(load, costs[i] ?? [])),
    ...idle.flatMap((door, i) => idleRows(door, times[i] ?? [])),
  ];
}

function rateRow({ target, what, goal }: Load, rates: number[], g: readonly number[]): ResultRow {
  return {
    target,
    what,
    value: median(rates),
    unit: '/s',
    yardstick: { name: 'G', value: median(g), unit: '/s' },
    // Each round against its own yardstick: the machine is another one a second later.
    ratio: median(rates.map((rate, round) => rate / (g[round] ?? Number.NaN))),
    goal: { at: 'least', value: goal },
    runs: rates,
  };
}

function costRows({ what, servers }: Load, costs: number[]): ResultRow[] {
  if (!servers) return [];
  return [
    {
      target: '6',
      what: `processor time of the servers per message: ${what}`,
      value: median(costs),
      unit: 'µs',
      goal: { at: 'most', value: servers.goal },
      runs: costs,
    },
  ];
}

/** Target 14: what MCP Agent Mail publishes of itself, measured on another machine. */
const AGENT_MAIL = { sendsPerSecond: 8.4, milliseconds: 115 };

function agentMailRows(
  loads: readonly Load[],
  rates: readonly number[][],
  times: readonly IdleRun[][],
): ResultRow[] {
  const perSecond = median(rates[loads.findIndex(({ what }) => what.endsWith('one by one'))] ?? []);
  const best = Math.min(...(times.at(-1) ?? []).map(({ p50 }) => p50));
  return [
    {
      target: '14',
      what: 'messages one by one through MCP, sent and received',
      value: perSecond,
      unit: '/s',
      yardstick: { name: 'MCP Agent Mail', value: AGENT_MAIL.sendsPerSecond, unit: '/s' },
      ratio: perSecond / AGENT_MAIL.sendsPerSecond,
      goal: { at: 'least', value: 100 },
    },
    {
      target: '14',
      what: 'idle, one pair through MCP, send to received: p50',
      value: best,
      unit: 'ms',
      yardstick: { name: 'MCP Agent Mail', value: AGENT_MAIL.milliseconds, unit: 'ms' },
      ratio: best / AGENT_MAIL.milliseconds,
      goal: { at: 'most', value: 1 / 30 },
    },
  ];
}

/** Median and 99th percentile of a run in milliseconds, and the median of the bare commits between its messages. */
interface IdleRun {
  p50: number;
  p99: number;
  f1: number;
}

function idleRows({ what, goal }: Idle, runs: readonly IdleRun[]): ResultRow[] {
  const ratios = runs.map(({ p50, f1 }) => p50 / f1);
  const best = ratios.indexOf(Math.min(...ratios));
  const run = runs[best] ?? { p50: Number.NaN, p99: Number.NaN, f1: Number.NaN };
  return [
    {
      target: '4',
      what: `idle, one pair, send to received, ${what}: p50`,
      value: run.p50,
      unit: 'ms',
      yardstick: { name: 'F1', value: run.f1, unit: 'ms' },
      ratio: ratios[best] ?? Number.NaN,
      goal: { at: 'most', value: goal },
      runs: runs.map(({ p50 }) => p50),
    },
    {
      target: '4',
      what: `idle, one pair, send to received, ${what}: p99`,
      value: run.p99,
      unit: 'ms',
      yardstick: { name: 'its p50', value: run.p50, unit: 'ms' },
      ratio: run.p99 / run.p50,
      goal: { at: 'most', value: 8 },
      runs: runs.map(({ p99 }) => p99),
    },
  ];
}
