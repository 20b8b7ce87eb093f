import { makeAgents, type BenchAgent } from '../bench-agents.js';
import type { Door } from '../doors/door.js';
import { HarnessDoor } from '../doors/harness.door.js';
import { InProcessBroker } from '../doors/in-process.js';
import { McpDoor } from '../doors/mcp.door.js';
import { socketDoor } from '../doors/rpc.door.js';
import type { Extent } from '../extent.js';
import { HiveUnderTest } from '../hive-under-test.js';
import { acceptedPerSecond, latencies, pairsPerSecond, type Pair } from '../loads.js';
import type { ResultRow } from '../report.js';
import { median, percentile } from '../statistics.js';
import { measureF1, measureG } from '../yardsticks.js';

/** Pairs of the loads of targets 2 and 3, and senders of target 1. */
const PAIRS = 64;
const SENDERS = 128;
/** Commits of each look at a yardstick: about half a second. */
const G_COMMITS = 120;
const F1_COMMITS = 400;

interface Load {
  target: string;
  what: string;
  goal: number;
  run: (ms: number) => Promise<number>;
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
  const woken = makeAgents('h', PAIRS, 'command').map((agent): Pair => [agent, agent]);
  const [lone, loneWoken] = [pairs[0], woken[0]];
  if (!lone || !loneWoken) throw new Error('no agents');
  const harnesses = woken.map(([agent]) => agent);
  const agents = [...sinks.flat(), ...pairs.flat(), ...harnesses];

  const local = await InProcessBroker.start(agents);
  const hive = await HiveUnderTest.start({ agents, gateway: true, manyTurns: true });
  const socket = socketDoor(hive.brokerSocket);
  tell('opening a session for each agent …');
  const mcp = await McpDoor.open(hive.gatewayUrl, pairs.flat());
  const http = await HarnessDoor.open(hive.gatewayUrl, harnesses);
  try {
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
      },
      {
        target: '3',
        what: 'the same by the harness API over HTTP (wake, turn, end)',
        goal: 0.06,
        run: (ms) => pairsPerSecond(http, woken, ms),
      },
      {
        target: '3',
        what: 'the same by MCP, one by one',
        goal: 0.015,
        run: (ms) => pairsPerSecond(mcp, pairs, ms),
      },
    ];
    const idle: Idle[] = [
      { what: 'in process', goal: 1.8, door: local.door(), pair: lone },
      { what: 'over the socket', goal: 4, door: socket, pair: lone },
      { what: 'harness API over HTTP', goal: 7, door: http, pair: loneWoken },
      { what: 'MCP', goal: 16, door: mcp, pair: lone },
    ];
    return await inRounds(extent, loads, idle, tell);
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
  tell: (text: string) => void,
): Promise<ResultRow[]> {
  const g: number[] = [];
  const f1: number[] = [];
  const rates = loads.map((): number[] => []);
  const times = idle.map((): { p50: number; p99: number }[] => []);
  for (let round = 0; round < extent.rounds; round++) {
    tell(`round ${round + 1} of ${extent.rounds} …`);
    f1.push(measureF1(F1_COMMITS));
    for (const [i, { door, pair }] of idle.entries()) {
      const measured = await latencies(door, pair, extent.idleMessages);
      times[i]?.push({ p50: percentile(measured, 0.5), p99: percentile(measured, 0.99) });
    }
    g.push(measureG(G_COMMITS));
    for (const [i, load] of loads.entries()) rates[i]?.push(await load.run(extent.loadMs));
  }
  return [
    ...loads.map((load, i) => rateRow(load, rates[i] ?? [], g)),
    listsRow(),
    ...idle.flatMap((door, i) => idleRows(door, times[i] ?? [], f1)),
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

function listsRow(): ResultRow {
  return {
    target: '3',
    what: 'the same by MCP in lists of 32',
    value: Number.NaN,
    unit: '/s',
    missing: 'lists of recipients are not available yet',
  };
}

function idleRows(
  { what, goal }: Idle,
  runs: readonly { p50: number; p99: number }[],
  f1: readonly number[],
): ResultRow[] {
  const ratios = runs.map(({ p50 }, round) => p50 / (f1[round] ?? Number.NaN));
  const best = ratios.indexOf(Math.min(...ratios));
  const run = runs[best] ?? { p50: Number.NaN, p99: Number.NaN };
  return [
    {
      target: '4',
      what: `idle, one pair, send to received, ${what}: p50`,
      value: run.p50,
      unit: 'ms',
      yardstick: { name: 'F1', value: f1[best] ?? Number.NaN, unit: 'ms' },
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
