import { existsSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { TestHive } from '../testing/test-hive.js';
import { isPrivateAddress } from './private-addresses.js';

let hive: TestHive;
let server: Server;
let port: number;
let socketPath: string;

beforeAll(async () => {
  server = createServer((incoming, response) => {
    response.end(`${incoming.method} ${incoming.url} for ${incoming.headers.host}`);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.2', resolve);
  });
  ({ port } = server.address() as AddressInfo);
  hive = await (await TestHive.start({ agents: ['alice'] })).withGateway();
  socketPath = path.join(hive.agent('alice').run_dir, 'gateway.sock');
  await vi.waitUntil(() => existsSync(socketPath), { timeout: 20_000 });
});
afterAll(async () => {
  await hive.stop();
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

function allow(...hosts: string[]): void {
  const file = path.join(path.dirname(hive.agent('alice').run_dir), 'egress.json');
  writeFileSync(file, JSON.stringify({ hosts }));
}

/** Sends these bytes to the agent's socket; what comes back until it is closed. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(socketPath, () => socket.write(bytes));
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

const GET = 'GET /through HTTP/1.1\r\nhost: far\r\nconnection: close\r\n\r\n';
const tunnel = (target: string) =>
  raw(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n\r\n${GET}`);
const absolute = (url: string) =>
  raw(`GET ${url} HTTP/1.1\r\nhost: x\r\nproxy-authorization: secret\r\nconnection: close\r\n\r\n`);

describe(verifies('P35', '8.3') + "the way out of an agent's container", () => {
  it('leads to what is listed, by CONNECT and by absolute URL', async () => {
    allow(`127.0.0.2:${port}`);
    expect(await tunnel(`127.0.0.2:${port}`)).toMatch(/^HTTP\/1\.1 200 [^]*GET \/through for far$/);
    expect(await absolute(`http://127.0.0.2:${port}/page?q`)).toMatch(
      new RegExp(`GET /page\\?q for 127\\.0\\.0\\.2:${port}`),
    );
  });

  it.each([
    ['another port', () => tunnel('127.0.0.2:1'), 403],
    ['another host', () => tunnel(`127.0.0.3:${port}`), 403],
    ['the gateway itself', () => tunnel(`127.0.0.1:${new URL(hive.url).port}`), 403],
    ['a name that is not listed', () => tunnel('example.com:443'), 403],
    ['a listed name that leads to loopback', () => tunnel(`localhost:${port}`), 403],
    ['an address in another form', () => tunnel(`2130706434:${port + 1}`), 403],
    ['nothing', () => tunnel(':443'), 400],
    ['no URL', () => tunnel('a b:1'), 400],
    ['https without CONNECT', () => absolute('https://127.0.0.2/'), 400],
    ['a file', () => absolute('file:///etc/passwd'), 400],
    ['another host by absolute URL', () => absolute('http://127.0.0.1:1/'), 403],
    ['a listed host that is not there', () => tunnel('127.0.0.9:1'), 502],
  ])('not to %s', async (_what, call, status) => {
    allow(`127.0.0.2:${port}`, `localhost:${port}`, '127.0.0.9:1');
    expect(await call()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it('leads nowhere without a list, and a change counts at once', async () => {
    allow();
    expect(await tunnel(`127.0.0.2:${port}`)).toMatch(/^HTTP\/1\.1 403 [^]*network_allow$/);
    allow(`*.0.0.2:${port}`);
    // Neither is a part of an address a domain.
    expect(await tunnel(`127.0.0.2:${port}`)).toMatch(/^HTTP\/1\.1 403 /);
  });

  it("is not there on the gateway's port", async () => {
    allow(`127.0.0.2:${port}`);
    const status = await new Promise((resolve) => {
      request({
        host: '127.0.0.1',
        port: new URL(hive.url).port,
        method: 'CONNECT',
        path: `127.0.0.2:${port}`,
      })
        .on('connect', (response) => resolve(response.statusCode))
        .on('error', () => resolve('closed'))
        .end();
    });
    expect(status).toBe('closed');
  });
});

describe(verifies('P35') + 'addresses that are not of the public internet', () => {
  it.each([
    ['127.0.0.1', true],
    ['10.1.2.3', true],
    ['172.31.255.255', true],
    ['172.32.0.1', false],
    ['169.254.169.254', true],
    ['0.0.0.0', true],
    ['255.255.255.255', true],
    ['8.8.8.8', false],
    ['::1', true],
    ['::', true],
    ['::ffff:127.0.0.1', true],
    ['::ffff:7f00:1', true],
    ['fe80::1', true],
    ['fd12::1', true],
    ['2001:4860:4860::8888', false],
  ])('%s: %s', (address, is) => {
    expect(isPrivateAddress(address)).toBe(is);
  });
});
