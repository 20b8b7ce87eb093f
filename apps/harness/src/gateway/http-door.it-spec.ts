import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { HttpDoor } from './http-door.js';

let folder: string;
let close: () => Promise<void>;
let door: HttpDoor;
const sockets = new Set<Socket>();

/** Serves on a port, or on a unix socket in the folder. */
async function serve(listener: RequestListener, socketPath?: string): Promise<void> {
  const server = createServer(listener);
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => {
    if (socketPath === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(socketPath, resolve);
  });
  close = async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  };
  const port = socketPath === undefined ? (server.address() as AddressInfo).port : 1;
  door = new HttpDoor({
    url: `http://127.0.0.1:${port}/hive`,
    socketPath,
    tokenFile: path.join(folder, 'token'),
  });
}

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hive-door-'));
  writeFileSync(path.join(folder, 'token'), 'secret-1\n');
});
afterEach(async () => {
  door.close();
  await close();
  sockets.clear();
  rmSync(folder, { recursive: true, force: true });
});

const post = (options = {}) => door.post('/x', { a: 'ä' }, { timeoutMs: 5000, ...options });

describe(verifies('5.1') + "the gateway's door", () => {
  it('posts JSON with the token of the file over one kept connection', async () => {
    const seen: unknown[] = [];
    await serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen.push([request.url, request.headers.authorization, Buffer.concat(chunks).toString()]);
        response.end('{"ok":true}');
      });
    });
    expect(await post()).toEqual({ ok: true });
    writeFileSync(path.join(folder, 'token'), 'secret-2');
    await post();
    expect(seen).toEqual([
      ['/hive/x', 'Bearer secret-1', '{"a":"ä"}'],
      ['/hive/x', 'Bearer secret-2', '{"a":"ä"}'],
    ]);
    expect(sockets.size).toBe(1);
  });

  it('speaks over a unix socket when there is one', async () => {
    await serve((_, response) => response.end('{"by":"socket"}'), path.join(folder, 'g.sock'));
    expect(await post()).toEqual({ by: 'socket' });
  });

  it("rejects with the hive's own error", async () => {
    await serve((_, response) => {
      response.writeHead(410).end('{"error":{"code":"instance_superseded","message":"gone"}}');
    });
    await expect(post()).rejects.toMatchObject({ code: 'instance_superseded', message: 'gone' });
  });

  it.each([
    ['not JSON', (response: Parameters<RequestListener>[1]) => response.end('<html>')],
    ['a foreign error', (response) => response.writeHead(502).end('{"oops":1}')],
    ['a closed connection', (response) => response.destroy()],
    [
      'half an answer',
      (response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"a":');
        setImmediate(() => response.destroy());
      },
    ],
  ] as [string, (response: Parameters<RequestListener>[1]) => void][])(
    'is unavailable for %s',
    async (_, answer) => {
      await serve((request, response) => answer(response));
      await expect(post()).rejects.toMatchObject({ code: 'unavailable' });
    },
  );

  it('gives up after its time, and when it is told to', async () => {
    await serve(() => {});
    await expect(post({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'unavailable' });
    const stop = new AbortController();
    const call = post({ signal: stop.signal });
    stop.abort();
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
    await expect(post({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  it('is unavailable without a token', async () => {
    await serve((_, response) => response.end('{}'));
    rmSync(path.join(folder, 'token'));
    await expect(post()).rejects.toMatchObject({ code: 'unavailable' });
  });
});
