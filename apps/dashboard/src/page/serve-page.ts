import { existsSync } from 'node:fs';
import path from 'node:path';

import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { HiveError } from '#libs/protocol';

/** Addresses that are never the page's: an unknown one of these is an error, not index.html. */
const NOT_THE_PAGE = /^(api|queues|events|healthz|readyz|login)(\/|$)/;
/** A file whose name holds its content's hash is kept; every other one is asked for again, and often answered 304. */
const KEEP = 'private, max-age=31536000, immutable';
const ASK_AGAIN = 'private, no-cache';

/** Serves the built page. An address without a file of its own is the page's to draw (`/agents/scout`). */
export function servePage(http: FastifyInstance, webDir: string): void {
  const root = path.resolve(webDir);
  void http.register(async (scope) => {
    await scope.register(fastifyStatic, { root, serve: false });
    const serve = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const { '*': file = '' } = request.params as { '*'?: string };
      if (NOT_THE_PAGE.test(file)) {
        throw new HiveError('not_found', `GET /${file.slice(0, 200)} does not exist`);
      }
      reply.header('cache-control', file.startsWith('assets/') ? KEEP : ASK_AGAIN);
      if (/\.\w+$/.test(file)) return reply.sendFile(file, root, { cacheControl: false });
      if (!existsSync(path.join(root, 'index.html'))) {
        throw new HiveError('unavailable', 'the page is not built; run `npm run build`');
      }
      return reply.sendFile('index.html', root, { cacheControl: false });
    };
    scope.get('/', serve);
    scope.get('/*', serve);
  });
}
