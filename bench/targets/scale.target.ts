import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { makeAgents, type BenchAgent } from '../bench-agents.js';
import { InProcessBroker } from '../doors/in-process.js';
import type { Extent } from '../extent.js';
import { acceptedPerSecond, nextBody, pairsPerSecond, type Pair } from '../loads.js';
import { makeFilledDatabase } from '../prefilled.js';
import type { ResultRow } from '../report.js';
import { median } from '../statistics.js';

/** What the others are measured against, in the same run. */
const SMALL = 10_000;
const AGENTS = 1000;
const SENDERS = 128;
const BODY_BYTES = 200;
/** Room that a stored message takes at most with its delivery and indexes, in bytes. */
const ROW_BYTES = 900;
/** Short, or the small database would not stay small. */
const LOAD_MS = 300;
const LOADS = 7;
const CALLS = 400;
/** Messages that wait for the agent whose inbox is looked at. */
const HOT_INBOX = 5000;
const OPEN_QUESTIONS = 20;
const PAGE = 50;
/** Few enough that the small database has old messages to the end. */
const SWEEP_STEPS = 15;
const MOST_TIMES = 1.3;

/** Something whose cost must not grow with the database; measured at every size in turn, so that a slow moment hits all. */
interface Operation {
  what: string;
  times: number;
  /** Microseconds that it took once. */
  once: (size: SizedBroker) => Promise<number>;
}

/** Cost of the hot paths in databases of those sizes that `extent` names beside one of 10,000 messages. */
export async function measureScale(
  extent: Extent,
  tell: (text: string) => void,
): Promise<ResultRow[]> {
  const dir = mkdtempSync(path.join(tmpdir(), 'hive-scale-'));
  const sizes: SizedBroker[] = [];
  try {
    for (const messages of [SMALL, ...extent.scaleRows]) {
      const short = shortOfRoom(dir, messages);
      if (short !== undefined) return [missing(messages, short)];
      tell(`filling a database with ${text(messages)} messages of ${BODY_BYTES} bytes …`);
      sizes.push(await SizedBroker.open(path.join(dir, String(messages)), messages));
    }
    const rows: ResultRow[] = [];
    for (const operation of OPERATIONS) rows.push(...(await compare(operation, sizes)));
    return rows;
  } finally {
    for (const size of sizes) await size.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function compare(
  { what, times, once }: Operation,
  sizes: readonly SizedBroker[],
): Promise<ResultRow[]> {
  const costs = sizes.map((): number[] => []);
  for (let n = 0; n < times; n++) {
    for (const [index, size] of sizes.entries()) costs[index]?.push(await once(size));
  }
  const [small = [], ...larger] = costs;
  return larger.map((runs, index) => ({
    target: 'scale',
    what: `${what}, ${text(sizes[index + 1]?.messages ?? 0)} messages stored`,
    value: median(runs),
    unit: 'µs',
    yardstick: { name: `at ${text(SMALL)}`, value: median(small), unit: 'µs' },
    ratio: median(runs) / median(small),
    goal: { at: 'most', value: MOST_TIMES },
  }));
}

/** A broker on a database of its own with so many messages. */
class SizedBroker {
  private constructor(
    readonly messages: number,
    readonly broker: InProcessBroker,
    readonly pairs: readonly Pair[],
    /** To others: what these wait for is not behind a backlog. */
    readonly idle: readonly Pair[],
    /** Has many messages that wait, and open questions. */
    readonly hot: BenchAgent,
  ) {}

  static async open(dbDir: string, messages: number): Promise<SizedBroker> {
    const agents = makeAgents('a', AGENTS, 'external');
    makeFilledDatabase(dbDir, messages, AGENTS, BODY_BYTES);
    const broker = await InProcessBroker.start(agents, dbDir);
    const [hot, ...others] = agents;
    if (!hot) throw new Error('no agents');
    const to = (i: number) => others[SENDERS + i] ?? hot;
    const pairs = others.slice(0, SENDERS).map((from, i): Pair => [from, to(i)]);
    const idle = others.slice(0, SENDERS).map((from, i): Pair => [from, to(SENDERS + i)]);
    const door = broker.door();
    for (let n = 0; n < HOT_INBOX; n += SENDERS) {
      await Promise.all(pairs.map(([from]) => door.send(from, hot, nextBody())));
    }
    for (let n = 0; n < OPEN_QUESTIONS; n++) await broker.ask(hot);
    return new SizedBroker(messages, broker, pairs, idle, hot);
  }

  close(): Promise<void> {
    return this.broker.stop();
  }
}

const OPERATIONS: readonly Operation[] = [
  {
    what: `send, ${SENDERS} senders`,
    times: LOADS,
    once: async ({ broker, pairs }) =>
      1e6 / (await acceptedPerSecond(broker.door(), pairs, LOAD_MS)).perSecond,
  },
  {
    what: `send, recv and ack, ${SENDERS} pairs`,
    times: LOADS,
    once: async ({ broker, idle }) =>
      1e6 / (await pairsPerSecond(broker.door(), idle, LOAD_MS)).perSecond,
  },
  {
    what: `recv of one with the count of the ${text(HOT_INBOX)} that wait`,
    times: CALLS,
    once: ({ broker, hot }) => timed(() => broker.door().receive(hot)),
  },
  {
    what: 'page of 50 of that inbox',
    times: CALLS,
    once: ({ broker, hot }) => timed(() => broker.inboxPage(hot, PAGE)),
  },
  {
    what: `open threads, ${OPEN_QUESTIONS} questions`,
    times: CALLS,
    once: ({ broker, hot }) => timed(() => broker.openThreads(hot)),
  },
  {
    what: 'step of the retention sweep, 500 messages',
    times: SWEEP_STEPS,
    once: ({ broker }) => timed(() => broker.sweepRetention()),
  },
];

async function timed(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await call();
  return (performance.now() - start) * 1000;
}

function shortOfRoom(dir: string, messages: number): string | undefined {
  const { bavail, bsize } = statfsSync(dir);
  const needed = messages * ROW_BYTES;
  if (bavail * bsize > needed) return undefined;
  return `it needs ${gibibytes(needed)} of room in ${dir}, which has ${gibibytes(bavail * bsize)}`;
}

function missing(messages: number, why: string): ResultRow {
  return {
    target: 'scale',
    what: `${text(messages)} messages stored`,
    value: 0,
    unit: '',
    missing: why,
  };
}

function gibibytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

function text(count: number): string {
  return count.toLocaleString('en');
}
