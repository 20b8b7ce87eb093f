import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

import { RpcClient } from '#libs/ipc';
import type { BrokerGatewayApi, Message } from '#libs/protocol';
import { QUEUE_PREFIX, QUEUES, redisOptions } from '#libs/queues';

import { makeAgents, type BenchAgent } from '../bench-agents.js';
import type { Extent } from '../extent.js';
import { HiveUnderTest } from '../hive-under-test.js';
import { fillReminders } from '../prefilled.js';
import type { ResultRow } from '../report.js';
import { percentile } from '../statistics.js';
import { until } from '../until.js';
import { cheapRequestId } from '../uuid7.js';

const AGENTS = 100;
/** Reminders of target 8: so many a second, for so long, after so much time to store them. */
const PER_SECOND = 200;
const LEAD_MS = 6000;
const RECEIVE_MS = 60_000;
/** Target 10: pending reminders, of which a tenth is due within the window. */
const PENDING = 100_000;
const IN_WINDOW = 10_000;

interface Arrival {
  late: number;
}

/** Targets 8 to 10: reminders on time, many at one instant, and after Redis was wiped. */
export async function measureTime(
  extent: Extent,
  tell: (text: string) => void,
): Promise<ResultRow[]> {
  const agents = makeAgents('r', AGENTS, 'external');
  const now = Date.now();
  const hive = await HiveUnderTest.start({
    agents,
    scheduler: true,
    prepare: (dbDir) =>
      fillReminders(dbDir, {
        count: PENDING,
        owners: AGENTS,
        // None of them comes due while this runs; a tenth stands in Redis.
        dueAt: (n) => now + (n < IN_WINDOW ? 400_000 + n * 10 : 86_400_000 + n),
      }),
  });
  const gateway = new RpcClient<BrokerGatewayApi>({ path: hive.brokerSocket });
  gateway.start();
  const inbox = new Inboxes(gateway, agents);
  try {
    tell('reminders: on time …');
    const count = Math.round((PER_SECOND * extent.remindersMs) / 1000);
    const spread = await onTime(gateway, inbox, agents, count);
    const bare = await bareBullMq(hive.redisUrl, count);
    tell('reminders: 1,000 at one instant …');
    const instant = await atOneInstant(gateway, inbox, agents);
    tell('reminders: after FLUSHALL …');
    const wiped = await afterWipe(hive, gateway, inbox, agents);
    return [...onTimeRows(spread, bare), instant, ...wiped];
  } finally {
    inbox.stop();
    gateway.close();
    await hive.stop();
  }
}

/** Every agent waits for its reminders; each arrival is compared with its due time. */
class Inboxes {
  readonly arrivals: Arrival[] = [];
  private stopped = false;

  constructor(
    private readonly gateway: RpcClient<BrokerGatewayApi>,
    agents: readonly BenchAgent[],
  ) {
    for (const agent of agents) void this.receive(agent);
  }

  /** Settles when `count` more have arrived than there were at `from`. */
  async wait(from: number, count: number): Promise<Arrival[]> {
    await until(RECEIVE_MS, () => this.arrivals.length >= from + count);
    return this.arrivals.slice(from, from + count);
  }

  stop(): void {
    this.stopped = true;
  }

  private async receive({ credential, name: session }: BenchAgent): Promise<void> {
    while (!this.stopped) {
      const request_id = cheapRequestId();
      const call = { credential, session, request_id, max: 32, wait_ms: RECEIVE_MS };
      const answer = await this.gateway.call('recv', call).catch(() => undefined);
      const at = Date.now();
      if (!answer) continue;
      this.gateway.call('answers_written', { request_ids: [request_id] }).catch(() => {});
      for (const message of answer.messages) this.arrivals.push({ late: at - dueOf(message) });
    }
  }
}

function dueOf(message: Message): number {
  if (!message.reminder) throw new Error(`${message.id} is no reminder`);
  return Date.parse(message.reminder.due_at);
}

async function remind(
  gateway: RpcClient<BrokerGatewayApi>,
  { credential, name: session }: BenchAgent,
  at: number,
): Promise<void> {
  await gateway.call('remind', {
    credential,
    session,
    request_id: cheapRequestId(),
    message: 'look again',
    at: new Date(at).toISOString(),
  });
}

async function onTime(
  gateway: RpcClient<BrokerGatewayApi>,
  inbox: Inboxes,
  agents: readonly BenchAgent[],
  count: number,
): Promise<number[]> {
  const from = inbox.arrivals.length;
  const start = Date.now() + LEAD_MS;
  await Promise.all(
    Array.from({ length: count }, (_, n) =>
      remind(gateway, agentOf(agents, n), start + Math.floor((n * 1000) / PER_SECOND)),
    ),
  );
  return (await inbox.wait(from, count)).map((arrival) => arrival.late);
}

/** The yardstick: BullMQ's own delayed jobs on the same Redis, with nothing behind them. */
async function bareBullMq(redisUrl: string, count: number): Promise<number[]> {
  const connection = redisOptions(redisUrl);
  const queue = new Queue<{ due: number }>('bench-bare', { connection, prefix: QUEUE_PREFIX });
  const late: number[] = [];
  const worker = new Worker<{ due: number }>(
    'bench-bare',
    async (job) => {
      late.push(Date.now() - job.data.due);
    },
    { connection, prefix: QUEUE_PREFIX, concurrency: 200 },
  );
  try {
    await worker.waitUntilReady();
    const now = Date.now();
    await queue.addBulk(
      Array.from({ length: count }, (_, n) => {
        const due = now + LEAD_MS + Math.floor((n * 1000) / PER_SECOND);
        return { name: 'due', data: { due }, opts: { delay: due - now, removeOnComplete: true } };
      }),
    );
    await until(RECEIVE_MS, () => late.length >= count);
    return late;
  } finally {
    await worker.close();
    await queue.obliterate({ force: true });
    await queue.close();
  }
}

function onTimeRows(late: number[], bare: number[]): ResultRow[] {
  const p99 = percentile(late, 0.99);
  const bareP99 = percentile(bare, 0.99);
  const early = late.filter((ms) => ms < 0).length;
  const what = `${PER_SECOND} reminders a second`;
  return [
    {
      target: '8',
      what: `${what}, from due to received: p99`,
      value: p99,
      unit: 'ms',
      goal: { at: 'most', value: 25 },
    },
    {
      target: '8',
      what: `${what}: the same beside BullMQ's own delayed jobs`,
      value: p99,
      unit: 'ms',
      yardstick: { name: 'bare BullMQ, same Redis', value: bareP99, unit: 'ms' },
      ratio: p99 / bareP99,
      goal: { at: 'most', value: 1.5 },
    },
    {
      target: '8',
      what: `${what}: received before they were due`,
      value: early,
      unit: '',
      goal: { at: 'most', value: 0 },
    },
  ];
}

async function atOneInstant(
  gateway: RpcClient<BrokerGatewayApi>,
  inbox: Inboxes,
  agents: readonly BenchAgent[],
): Promise<ResultRow> {
  const runs: number[] = [];
  for (let round = 0; round < 3; round++) {
    const from = inbox.arrivals.length;
    const at = Date.now() + LEAD_MS;
    await Promise.all(
      Array.from({ length: 1000 }, (_, n) => remind(gateway, agentOf(agents, n), at)),
    );
    runs.push(Math.max(...(await inbox.wait(from, 1000)).map((arrival) => arrival.late)));
  }
  return {
    target: '9',
    what: '1,000 reminders due at one instant: the last is received after',
    value: Math.min(...runs),
    unit: 'ms',
    goal: { at: 'most', value: 60 },
    runs,
  };
}

async function afterWipe(
  hive: HiveUnderTest,
  gateway: RpcClient<BrokerGatewayApi>,
  inbox: Inboxes,
  agents: readonly BenchAgent[],
): Promise<ResultRow[]> {
  const queue = new Queue(QUEUES.reminders, {
    connection: redisOptions(hive.redisUrl),
    prefix: QUEUE_PREFIX,
  });
  const client = new Redis(redisOptions(hive.redisUrl));
  try {
    await until(RECEIVE_MS, async () => (await queue.getDelayedCount()) >= IN_WINDOW);
    const from = inbox.arrivals.length;
    const at = Date.now() + 3000;
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => remind(gateway, agentOf(agents, n), at + n * 50)),
    );
    await client.flushall();
    const start = performance.now();
    await until(RECEIVE_MS, async () => (await queue.getDelayedCount()) >= IN_WINDOW);
    const back = performance.now() - start;
    const late = (await inbox.wait(from, 20)).map((arrival) => arrival.late);
    return [
      {
        target: '10',
        what: `jobs of ${IN_WINDOW.toLocaleString('en')} reminders back after FLUSHALL, ${PENDING.toLocaleString('en')} pending`,
        value: back,
        unit: 'ms',
        goal: { at: 'most', value: 1000 },
      },
      {
        target: '10',
        what: 'reminders due meanwhile: the latest',
        value: Math.max(...late),
        unit: 'ms',
        goal: { at: 'most', value: 1000 },
      },
    ];
  } finally {
    client.disconnect();
    await queue.close();
  }
}

function agentOf(agents: readonly BenchAgent[], n: number): BenchAgent {
  const agent = agents[n % agents.length];
  if (!agent) throw new Error('no agents');
  return agent;
}
