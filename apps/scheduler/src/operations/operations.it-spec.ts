import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { BullModule } from '@nestjs/bullmq';
import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { socketPath } from '#libs/ipc';
import { QUEUE_PREFIX, QUEUES, redisOptions } from '#libs/queues';
import { createLogger, systemClock } from '#libs/service';

import { PrivateRedis } from '../../../../test/processes/private-redis.js';
import { verifies } from '../../../../test/requirements/verifies.js';
import { SchedulerEnv } from '../settings/scheduler.env.js';
import { SettingsModule } from '../settings/settings.module.js';
import { OperationsModule } from './operations.module.js';

/** The machine may be busy. */
const PATIENT = { timeout: 20_000 };

@Module({})
class TestModule {
  static with(env: SchedulerEnv): DynamicModule {
    return {
      module: TestModule,
      imports: [
        SettingsModule.with({ env, clock: systemClock, logger: createLogger('test', 'fatal') }),
        BullModule.forRoot({
          connection: redisOptions(env.HIVE_REDIS_URL),
          prefix: QUEUE_PREFIX,
        }),
        OperationsModule,
      ],
    };
  }
}

/** c0re's end of its scheduler socket: rows that wait, and which of them got their turn in which order. */
class FakeC0re {
  waiting: { id: string; steps: string[] }[] = [];
  readonly turns: string[] = [];
  /** Ids whose turn takes until they are released. */
  readonly slow = new Set<string>();
  private version = 0;
  private readonly polls = new Set<() => void>();
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://c0re');
      const answer = (body: unknown, status = 200) =>
        response
          .writeHead(status, { 'content-type': 'application/json' })
          .end(JSON.stringify(body));
      if (url.pathname === '/v1/operations/waiting') {
        const say = () => {
          this.polls.delete(say);
          answer({ version: String(this.version), operations: this.waiting });
        };
        if (url.searchParams.get('after') === String(this.version)) this.polls.add(say);
        else say();
        return;
      }
      const id = url.pathname.split('/')[3] ?? '';
      if (this.slow.has(id)) {
        setTimeout(() => answer({ id, state: 'running' }), 20);
        return;
      }
      if (!this.waiting.some((row) => row.id === id || row.steps.includes(id))) {
        answer({ error: { code: 'not_found', message: 'unknown' } }, 404);
        return;
      }
      this.turns.push(id);
      answer({ id, state: 'done' });
    });
  }

  set(waiting: FakeC0re['waiting']): void {
    this.waiting = waiting;
    this.version += 1;
    for (const say of this.polls) say();
  }

  async listen(file: string): Promise<void> {
    mkdirSync(path.dirname(file), { recursive: true });
    await new Promise<void>((resolve) => this.server.listen(file, resolve));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

let runtimeDir: string;
let redis: PrivateRedis;
let c0re: FakeC0re;
let app: INestApplicationContext;
let queue: Queue;

beforeEach(async () => {
  runtimeDir = mkdtempSync(path.join(tmpdir(), 'hive-operations-'));
  redis = await PrivateRedis.start();
  c0re = new FakeC0re();
  await c0re.listen(socketPath(runtimeDir, 'c0re', 'scheduler'));
  const env = Object.assign(new SchedulerEnv(), {
    HIVE_RUNTIME_DIR: runtimeDir,
    HIVE_REDIS_URL: redis.url,
  });
  app = await NestFactory.createApplicationContext(TestModule.with(env), { logger: false });
  queue = new Queue(QUEUES.operations, {
    connection: redisOptions(redis.url),
    prefix: QUEUE_PREFIX,
  });
});
afterEach(async () => {
  await c0re.close();
  await app.close();
  await queue.close();
  await redis.stop();
  rmSync(runtimeDir, { recursive: true, force: true });
});

const row = (id: string, ...steps: string[]) => ({ id, steps });

describe(verifies('4.1', 'P27') + 'the queue of operations', () => {
  it('gives each row that waits its turn, once and in order, by jobs that hold only ids', async () => {
    c0re.slow.add('o1');
    c0re.set([row('o1'), row('o2')]);
    await expect.poll(() => queue.getJobs(['active', 'waiting']), PATIENT).toHaveLength(2);
    const jobs = await queue.getJobs(['active', 'waiting']);
    expect(Object.fromEntries(jobs.map(({ data, id }) => [id, data as unknown]))).toEqual({
      'op-o1': { id: 'o1' },
      'op-o2': { id: 'o2' },
    });
    c0re.slow.clear();
    await expect.poll(() => c0re.turns, PATIENT).toEqual(['o1', 'o2']);
    await expect.poll(() => queue.getJobCounts(), PATIENT).toMatchObject({ active: 0, waiting: 0 });
  });

  it('makes a flow of an operation with steps: they come first', async () => {
    c0re.set([row('o3', 'o4', 'o5')]);
    await expect.poll(() => c0re.turns, PATIENT).toHaveLength(3);
    expect(c0re.turns.at(-1)).toBe('o3');
    expect(c0re.turns.toSorted()).toEqual(['o3', 'o4', 'o5']);
  });

  it('makes jobs that Redis lost anew', async () => {
    c0re.slow.add('o6');
    c0re.set([row('o6')]);
    await expect.poll(() => queue.getJobs(['active']), PATIENT).toHaveLength(1);
    const client = redis.client();
    await client.flushall();
    client.disconnect();
    c0re.slow.clear();
    c0re.set([row('o6'), row('o7')]);
    await expect.poll(() => c0re.turns, PATIENT).toContain('o7');
    expect(c0re.turns).toContain('o6');
  });

  it('lets go of a job that c0re does not know', async () => {
    await queue.add('operation', { id: 'o99' }, { jobId: 'op-o99', removeOnComplete: true });
    c0re.set([row('o8')]);
    await expect.poll(() => c0re.turns, PATIENT).toEqual(['o8']);
    expect(await queue.getJob('op-o99')).toBeUndefined();
  });
});
