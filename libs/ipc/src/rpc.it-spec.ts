import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { HiveError } from '#libs/protocol';

import { RpcClient } from './rpc-client.js';
import { RpcServer } from './rpc-server.js';

interface Api {
  add: [{ a: number; b: number }, { sum: number }];
  park: [Record<string, never>, { aborted: boolean }];
  refuse: [Record<string, never>, never];
  bug: [Record<string, never>, never];
  ask_back: [{ n: number }, { doubled: number }];
}
interface Callbacks {
  double: [{ n: number }, { n: number }];
}

let folder: string;
let server: RpcServer<Api>;
let client: RpcClient<Api>;
let bugs: string[];
let parked: PromiseWithResolvers<void>;

function makeServer(): RpcServer<Api> {
  return new RpcServer<Api>({
    path: path.join(folder, 's.sock'),
    onBug: (_error, method) => bugs.push(method),
    handlers: {
      add: ({ a, b }) => ({ sum: a + b }),
      park: (_params, { signal }) =>
        new Promise((resolve) => {
          parked.resolve();
          signal.addEventListener('abort', () => resolve({ aborted: true }));
        }),
      refuse: () => {
        throw new HiveError('inbox_full', 'full', { limit: 3 });
      },
      bug: () => {
        throw new TypeError('internal detail');
      },
      ask_back: async ({ n }, { peer }) => ({
        doubled: (await peer.call<Callbacks, 'double'>('double', { n })).n,
      }),
    },
  });
}

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'hive-ipc-'));
  bugs = [];
  parked = Promise.withResolvers();
  server = makeServer();
  await server.listen();
  client = new RpcClient<Api>({
    path: path.join(folder, 's.sock'),
    callbacks: { double: ({ n }: { n: number }) => ({ n: n * 2 }) },
  });
  client.start();
});

afterEach(async () => {
  client.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('requests over a unix socket', () => {
  it('answers many pipelined calls, each with its own result', async () => {
    const sums = await Promise.all(
      Array.from({ length: 500 }, (_, n) => client.call('add', { a: n, b: 1 })),
    );
    expect(sums.map(({ sum }) => sum)).toEqual(Array.from({ length: 500 }, (_, n) => n + 1));
  });

  it('carries a refusal with code, text and details, and hides bugs', async () => {
    await expect(client.call('refuse', {})).rejects.toMatchObject({
      code: 'inbox_full',
      message: 'full',
      details: { limit: 3 },
    });
    await expect(client.call('bug', {})).rejects.toMatchObject({ code: 'internal' });
    expect(bugs).toEqual(['bug']);
  });

  it('refuses what is not in the table, also names of Object.prototype', async () => {
    for (const method of ['nope', 'constructor', '__proto__', 'toString']) {
      await expect(client.call(method as 'add', { a: 1, b: 1 })).rejects.toMatchObject({
        code: 'unknown_method',
      });
    }
  });

  it('lets the server ask back on the same connection', async () => {
    expect(await client.call('ask_back', { n: 21 })).toEqual({ doubled: 42 });
  });

  it('tells the server when a caller gives up', async () => {
    const abort = new AbortController();
    const call = client.call('park', {}, { signal: abort.signal });
    await parked.promise;
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
    expect(await client.call('add', { a: 1, b: 1 })).toEqual({ sum: 2 });
  });

  it('rejects what waits when the server goes, and comes back by itself', async () => {
    const call = client.call('park', {});
    await parked.promise;
    await server.close();
    await expect(call).rejects.toMatchObject({ code: 'unavailable' });
    server = makeServer();
    await server.listen();
    expect(await client.call('add', { a: 2, b: 2 })).toEqual({ sum: 4 });
  });

  it('says that the service is not there when no connection comes in time', async () => {
    await server.close();
    await expect(client.call('add', { a: 1, b: 1 }, { connectWaitMs: 50 })).rejects.toMatchObject({
      code: 'unavailable',
    });
    server = makeServer();
    await server.listen();
  });

  it('drops a peer that does not speak JSON, and goes on with the others', async () => {
    const stranger = connect(path.join(folder, 's.sock'));
    const closed = new Promise((resolve) => stranger.on('close', resolve));
    stranger.on('error', () => {});
    stranger.write('hello there\n');
    await closed;
    expect(await client.call('add', { a: 1, b: 1 })).toEqual({ sum: 2 });
  });

  it('keeps a message whole that comes in pieces, split inside a character', async () => {
    const raw = connect(path.join(folder, 's.sock'));
    const answer = new Promise<string>((resolve) =>
      raw.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    const frame = Buffer.from(
      `${JSON.stringify({ id: 1, method: 'add', params: { a: 1, b: 2, note: 'ä' } })}\n`,
    );
    const cut = frame.indexOf(0xc3) + 1;
    raw.write(frame.subarray(0, cut), () => raw.write(frame.subarray(cut)));
    expect(JSON.parse(await answer)).toEqual({ id: 1, result: { sum: 3 } });
    raw.destroy();
  });
});
