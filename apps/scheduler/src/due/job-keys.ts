import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';

import type { JobQueue } from '#libs/protocol';
import { QUEUE_PREFIX, QUEUES, redisOptions } from '#libs/queues';
import type { Logger } from '#libs/service';

import { SchedulerEnv } from '../settings/scheduler.env.js';
import { LOGGER } from '../settings/tokens.js';

/** Tells a Redis that was emptied from one that has few jobs: it is there exactly since the last reconciliation. */
const FILLED_KEY = `${QUEUE_PREFIX}:${QUEUES.maintenance}:jobs-are-complete`;
/** Ids in one command. */
const PAGE = 1000;

/** The keys that BullMQ has for jobs, read in bulk: its own API asks for each job alone. */
@Injectable()
export class JobKeys implements OnApplicationShutdown {
  private readonly redis: Redis;

  constructor(env: SchedulerEnv, @Inject(LOGGER) logger: Logger) {
    this.redis = new Redis({ ...redisOptions(env.HIVE_REDIS_URL), maxRetriesPerRequest: null });
    this.redis.on('error', (error: Error) => logger.debug({ err: error }, 'Redis'));
  }

  /** Calls `listener` at each connect, the first included. */
  onReady(listener: () => void): void {
    this.redis.on('ready', listener);
    if (this.redis.status === 'ready') listener();
  }

  get isReady(): boolean {
    return this.redis.status === 'ready';
  }

  /**
   * Of these ids, those that Redis has no job of, in their order. One that has ended and is still kept counts as absent,
   * and is `leftover`: it has to go before its id can be used again (EXECUTIONS H26).
   */
  async missing(
    queue: JobQueue,
    ids: readonly string[],
  ): Promise<{ missing: string[]; leftover: string[] }> {
    if (ids.length === 0) return { missing: [], leftover: [] };
    const pipeline = this.redis.pipeline();
    for (const id of ids) pipeline.hmget(keyOf(queue, id), 'timestamp', 'finishedOn');
    const found = (await pipeline.exec()) ?? [];
    const fields = ids.map((_id, n) => (found[n]?.[1] ?? []) as (string | null)[]);
    const has = (n: number, field: number) => typeof fields[n]?.[field] === 'string';
    const leftover = ids.filter((_id, n) => has(n, 1));
    const missing = ids.filter((_id, n) => !has(n, 0) || has(n, 1));
    return { missing, leftover };
  }

  /** Ids of the jobs that wait or are delayed. */
  async waiting(queue: JobQueue): Promise<string[]> {
    const ids = await this.redis.lrange(keyOf(queue, 'wait'), 0, -1);
    for (let from = 0; ; from += PAGE) {
      const page = await this.redis.zrange(
        keyOf(queue, 'delayed'),
        String(from),
        String(from + PAGE - 1),
      );
      ids.push(...page);
      if (page.length < PAGE) return ids;
    }
  }

  /** Whether nothing was wiped since `markFilled`. */
  async isFilled(): Promise<boolean> {
    return (await this.redis.exists(FILLED_KEY)) === 1;
  }

  async markFilled(): Promise<void> {
    await this.redis.set(FILLED_KEY, '1');
  }

  async unmarkFilled(): Promise<void> {
    await this.redis.del(FILLED_KEY);
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }
}

function keyOf(queue: JobQueue, name: string): string {
  return `${QUEUE_PREFIX}:${queue}:${name}`;
}
