import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { SocketRelay } from './socket-relay.js';

let folder: string;
let socketPath: string;
let gateway: Server | undefined;
let relay: SocketRelay;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'relay-'));
  socketPath = path.join(folder, 'gateway.sock');
  await listen('first');
  relay = await SocketRelay.open('http://127.0.0.1:0', socketPath);
});
afterEach(async () => {
  relay.close();
  await end();
  rmSync(folder, { recursive: true });
});

async function listen(name: string): Promise<void> {
  const server = createServer((_request, response) => response.end(name));
  gateway = server;
  await new Promise<void>((resolve) => {
    server.listen(socketPath, resolve);
  });
}

async function end(): Promise<void> {
  gateway?.closeAllConnections();
  await new Promise((resolve) => {
    gateway?.close(resolve);
  });
}

function get(): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: relay.port, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}

describe(verifies('P35') + "the relay to the gateway's socket", () => {
  it('reaches a gateway that started again, and breaks off while there is none', async () => {
    expect(await get()).toBe('first');
    await end();
    await expect(get()).rejects.toThrow(/socket hang up|ECONNRESET/);
    await listen('second');
    expect(await get()).toBe('second');
  });

  it('says when the address is taken', async () => {
    const taken = `http://127.0.0.1:${relay.port}`;
    await expect(SocketRelay.open(taken, socketPath)).rejects.toThrow(
      /cannot be relayed inside the container: .*EADDRINUSE/,
    );
  });
});
