import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { newRequestId, RpcClient, socketPath } from '#libs/ipc';
import { HiveError, type BrokerC0reApi, type BrokerGatewayApi, type Message } from '#libs/protocol';
import type { ServiceMessage } from '#libs/service';
import { openDatabase } from '#libs/store';

import { verifies } from '../../../test/requirements/verifies.js';
import {
  registryAgent,
  removeTestFolders,
  temporaryFolder,
  tokenOf,
} from './testing/test-broker.js';

const BUILT_MAIN = path.resolve('dist/apps/broker/src/main.js');
/** Senders of the traffic, and as many bare clients that receive. */
const PAIRS = 8;
/** One more agent, which holds on to what it was handed. */
const HOLDER = `a${2 * PAIRS + 1}`;

/** The built broker as a process of its own, without a Redis: it must not need one. */
describe(verifies('1.2', 'P5', 'P11', '8.5') + 'the broker as a process', () => {
  let dir: string;
  let child: ChildProcess;
  const clients: { close(): void }[] = [];

  beforeEach(async () => {
    if (!existsSync(BUILT_MAIN)) throw new Error(`${BUILT_MAIN} is missing: build first`);
    dir = temporaryFolder();
    for (const peer of ['gateway', 'dashboard', 'scheduler', 'c0re'])
      mkdirSync(path.dirname(socketPath(dir, 'broker', peer)), { recursive: true });
    child = await started();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await killed(child);
  });
  afterAll(removeTestFolders);

  it('loses no message that it answered for, and marks what it had handed out, when it is killed under traffic', async () => {
    await putRegistry();
    const gateway = connect<BrokerGatewayApi>('gateway');
    const traffic = new Traffic(gateway);
    const held = await holdOne(gateway);
    for (let kill = 0; kill < 3; kill += 1) {
      const before = traffic.answered.size;
      await expect
        .poll(() => traffic.answered.size, { timeout: 20_000 })
        .toBeGreaterThan(before + 100);
      await killed(child);
      child = await started();
    }
    await traffic.stop();
    expect(await receiveHeld(gateway)).toMatchObject([{ id: held, redelivered: true, attempt: 1 }]);
    await drain(traffic);
    const rows = readRows<{ id: number; body: string; state: string; hand_outs: number }>(
      `SELECT m.id, m.body, d.state, d.hand_outs FROM messages m JOIN deliveries d ON d.message = m.id`,
    );
    const stored = new Map(rows.map((row) => [row.body, row]));
    const lost = [...traffic.answered].filter(([body, id]) => stored.get(body)?.id !== id);
    expect(lost).toEqual([]);
    const open = rows.filter((row) => row.state !== 'acked');
    expect(open).toMatchObject([{ id: Number(held.slice(1)), state: 'leased', hand_outs: 2 }]);
    expect(stored.size).toBe(rows.length);
    expect(traffic.wronglyMarked).toEqual([]);
  }, 120_000);

  it('is refused a second time on the same store, and says which process holds it', async () => {
    const second = spawn(process.execPath, [BUILT_MAIN], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: environment(),
    });
    const [message] = (await once(second, 'message')) as [ServiceMessage];
    const [code] = (await once(second, 'exit')) as [number];
    expect(code).toBe(1);
    expect(message).toEqual({
      type: 'failed',
      message: expect.stringContaining(`in use by the broker (process ${child.pid})`),
    });
    expect(child.exitCode).toBeNull();
  });

  it('ends with 0 on SIGTERM and leaves no socket behind', async () => {
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
    expect(existsSync(socketPath(dir, 'broker', 'gateway'))).toBe(false);
  });

  it('answers each peer only its own table of requests', async () => {
    const scheduler = connect<BrokerGatewayApi>('scheduler');
    const call = scheduler.call('authenticate', { credential: 'f'.repeat(64) });
    await expect(call).rejects.toMatchObject({ code: 'unknown_method' });
  });

  function environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      HIVE_DB_DIR: dir,
      HIVE_RUNTIME_DIR: dir,
      HIVE_REDIS_URL: `unix://${dir}/no-redis.sock`,
      HIVE_LOG_LEVEL: 'error',
    };
  }

  async function started(): Promise<ChildProcess> {
    const broker = spawn(process.execPath, ['--enable-source-maps', BUILT_MAIN], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: environment(),
    });
    const [message] = (await once(broker, 'message')) as [ServiceMessage];
    expect(message).toEqual({ type: 'ready' });
    return broker;
  }

  function connect<Api extends { [K in keyof Api]: [unknown, unknown] }>(
    peer: string,
  ): RpcClient<Api> {
    const client = new RpcClient<Api>({
      path: socketPath(dir, 'broker', peer),
      callbacks: { close_run: () => ({ closed_sessions: 0 }), agents_changed: () => ({}) },
    });
    client.start();
    clients.push(client);
    return client;
  }

  async function putRegistry(): Promise<void> {
    const agents = Array.from({ length: 2 * PAIRS + 1 }, (_, n) =>
      registryAgent(n + 1, `a${n + 1}`, { driver: 'external' }),
    );
    await connect<BrokerC0reApi>('c0re').call('put_registry', { revision: 1, agents });
  }

  /** Receives and acks what is left; leases of before the kill have to be returned first. */
  async function drain(traffic: Traffic): Promise<void> {
    const gateway = connect<BrokerGatewayApi>('gateway');
    for (let n = 1; n <= PAIRS; n += 1) {
      for (const session of [receiverSession(n), 'drain']) {
        for (;;) {
          const { messages } = await traffic.receive(gateway, n, session, 0);
          if (messages === 0) break;
        }
      }
    }
  }

  function readRows<T>(sql: string): T[] {
    const db = openDatabase({
      path: path.join(dir, 'threads.db'),
      synchronous: 'FULL',
      readonly: true,
    });
    const rows = db.prepare<[], T>(sql).all();
    db.close();
    return rows;
  }
});

/** Senders and receivers over one gateway's connection, each repeating a call with its id until it is answered. */
class Traffic {
  /** Row number by body of each send that was answered. */
  readonly answered = new Map<string, number>();
  /** First showings that were marked and later ones that were not. */
  readonly wronglyMarked: string[] = [];
  private readonly shown = new Set<string>();
  private readonly work: Promise<void>[];
  private stopped = false;

  constructor(private readonly gateway: RpcClient<BrokerGatewayApi>) {
    this.work = Array.from({ length: PAIRS }, (_, n) => n + 1).flatMap((n) => [
      this.sender(n),
      this.receiver(n),
    ]);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.work);
  }

  /** One `recv` with its acks; how many messages it brought. */
  async receive(
    gateway: RpcClient<BrokerGatewayApi>,
    n: number,
    session: string,
    wait_ms: number,
  ): Promise<{ messages: number }> {
    const credential = tokenOf(PAIRS + n, `a${PAIRS + n}`);
    const request_id = newRequestId(Date.now());
    const { messages } = await untilAnswered(() =>
      gateway.call('recv', { credential, session, request_id, max: 8, wait_ms }),
    );
    for (const { id, redelivered } of messages) {
      if (!redelivered && this.shown.has(id)) this.wronglyMarked.push(id);
      this.shown.add(id);
    }
    const ids = messages.map((message) => message.id);
    if (ids.length > 0)
      await untilAnswered(() => gateway.call('ack', { credential, session, ids }));
    return { messages: messages.length };
  }

  private async sender(n: number): Promise<void> {
    const credential = tokenOf(n, `a${n}`);
    for (let i = 0; !this.stopped; i += 1) {
      const body = `${n}-${i}`;
      const request_id = newRequestId(Date.now());
      const sent = await untilAnswered(() =>
        this.gateway.call('send', {
          credential,
          session: 's',
          request_id,
          to: `a${PAIRS + n}`,
          body,
        }),
      );
      this.answered.set(body, Number(sent.id.slice(1)));
      this.gateway.call('answers_written', { request_ids: [request_id] }).catch(() => {});
    }
  }

  private async receiver(n: number): Promise<void> {
    while (!this.stopped) await this.receive(this.gateway, n, receiverSession(n), 200);
  }
}

function receiverSession(n: number): string {
  return `receiver-${n}`;
}

/** Repeats a call as the gateway does: the same request, until the broker is there and answers. */
async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof HiveError) || error.code !== 'unavailable') throw error;
    }
  }
}

async function killed(broker: ChildProcess): Promise<void> {
  if (broker.exitCode !== null || broker.signalCode !== null) return;
  broker.kill('SIGKILL');
  await once(broker, 'exit');
}

async function receiveHeld(gateway: RpcClient<BrokerGatewayApi>): Promise<Message[]> {
  const { messages } = await gateway.call('recv', {
    credential: tokenOf(2 * PAIRS + 1, HOLDER),
    request_id: newRequestId(Date.now()),
    session: 'holder',
    max: 5,
    wait_ms: 0,
  });
  return messages;
}

/** A message that its receiver took and never says anything of. Returns its id. */
async function holdOne(gateway: RpcClient<BrokerGatewayApi>): Promise<string> {
  const { id } = await gateway.call('send', {
    credential: tokenOf(1, 'a1'),
    request_id: newRequestId(Date.now()),
    session: 's',
    to: HOLDER,
    body: 'held',
  });
  expect(await receiveHeld(gateway)).toMatchObject([{ id, redelivered: false, attempt: 1 }]);
  return id;
}
