import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import { Redis } from 'ioredis';

import { HiveError } from '#libs/protocol';
import { QUEUE_PREFIX, QUEUES, redisOptions } from '#libs/queues';

import { sendRefusal } from '../requests/refusal.js';
import { TOOL_SESSION_PATH } from './tool-session.controller.js';

/** Longest wait for one answer of Redis, in milliseconds. */
const COMMAND_MS = 5000;
const PREFIX = '/queues';
/** Bull Board's page asks Google for fonts; nothing of a hive leaves the machine. */
const FOREIGN_LINKS = /<link href="https:[^>]*>/g;

/**
 * Bull Board over every queue of libs/queues. It has no login of its own: the door does that. Returns how to close
 * the queues' connections.
 */
export function serveQueueBoard(
  http: FastifyInstance,
  redisUrl: string,
  onProblem: (error: Error) => void,
): () => Promise<void> {
  const redis = new Redis({ ...redisOptions(redisUrl), commandTimeout: COMMAND_MS });
  redis.on('error', onProblem);
  const queues = Object.values(QUEUES).map((name) => {
    const queue = new Queue(name, {
      prefix: QUEUE_PREFIX,
      connection: redis,
      skipMetasUpdate: true,
    });
    queue.on('error', onProblem);
    return queue;
  });
  const board = new FastifyAdapter();
  board.setBasePath(PREFIX);
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue)),
    serverAdapter: board,
    options: { uiConfig: { boardTitle: 'Hyperhive queues' } },
  });
  void http.register(async (scope) => {
    scope.addHook('preHandler', async (request, reply) => {
      const asksRedis = request.routeOptions.url?.startsWith(`${PREFIX}/api/`);
      if (!asksRedis || redis.status === 'ready') return undefined;
      // The page is to say so, not to wait for it.
      return sendRefusal(reply, new HiveError('unavailable', 'Redis is away; try again'));
    });
    scope.addHook('onSend', async (_request, reply, payload) => {
      const isPage = String(reply.getHeader('content-type') ?? '').startsWith('text/html');
      return isPage && typeof payload === 'string' ? withSession(payload) : payload;
    });
    await scope.register(board.registerPlugin(), { prefix: PREFIX });
  });
  return async () => {
    await Promise.allSettled(queues.map((queue) => queue.close()));
    redis.disconnect();
  };
}

function withSession(page: string): string {
  return page
    .replace(FOREIGN_LINKS, '')
    .replace('</head>', `<script src="${TOOL_SESSION_PATH}"></script></head>`);
}
