import { constants, existsSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { tempFolder } from '../testing/temp-folder.js';
import { TestHive, tokenOf } from '../testing/test-hive.js';

let hive: TestHive | undefined;

afterEach(async () => {
  await hive?.stop();
  hive = undefined;
});

const socketOf = (folder: string) => path.join(folder, 'gateway.sock');

/** A POST over a unix socket. */
function post(
  socketPath: string,
  url: string,
  token: string,
  body: unknown,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        socketPath,
        path: url,
        method: 'POST',
        headers: {
          host: 'localhost',
          authorization: `Bearer ${token}`,
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
        },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(body));
  });
}

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'raw', version: '1' },
  },
};
const initialize = (socketPath: string, token: string) =>
  post(socketPath, '/mcp', token, INITIALIZE);

describe(`${verifies('P35', 'P37', '8.3')}the socket in an agent's run folder`, () => {
  it('speaks MCP and the harness API for its agent', async () => {
    hive = await (await TestHive.start({ agents: ['alice'] })).withGateway();
    const socket = socketOf(hive.agent('alice').run_dir);
    await expect.poll(() => existsSync(socket)).toBe(true);
    const answer = await initialize(socket, tokenOf('alice'));
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('"name":"hyperhive"');
    const woken = await post(socket, '/harness/v1/wake', tokenOf('alice'), {
      from: 'x',
      body: 'y',
    });
    expect(woken.status).toBe(200);
  });

  it('takes no token of another agent', async () => {
    hive = await (await TestHive.start({ agents: ['alice', 'bob'] })).withGateway();
    const socket = socketOf(hive.agent('alice').run_dir);
    await expect.poll(() => existsSync(socket)).toBe(true);
    expect((await initialize(socket, tokenOf('bob'))).status).toBe(401);
    expect((await initialize(socket, 'nonsense')).status).toBe(401);
    expect((await initialize(socket, tokenOf('alice'))).status).toBe(200);
  });

  it('can be opened by owner and group only', async () => {
    hive = await (await TestHive.start({ agents: ['alice'] })).withGateway();
    const socket = socketOf(hive.agent('alice').run_dir);
    await expect.poll(() => existsSync(socket)).toBe(true);
    const { mode } = statSync(socket);
    expect((mode & 0o777).toString(8)).toBe('660');
  });

  it('is there however long the path of the folder is', async () => {
    const folder = tempFolder();
    const agentsFolder = path.join(folder.path, 'x'.repeat(120));
    hive = await (await TestHive.start({ agents: ['alice'], agentsFolder })).withGateway();
    const runDir = hive.agent('alice').run_dir;
    expect(Buffer.byteLength(socketOf(runDir))).toBeGreaterThan(107);
    await expect.poll(() => existsSync(socketOf(runDir))).toBe(true);
    const descriptor = openSync(runDir, constants.O_RDONLY | constants.O_DIRECTORY);
    const near = `/proc/self/fd/${descriptor}/gateway.sock`;
    expect((await initialize(near, tokenOf('alice'))).status).toBe(200);
    await hive.stop();
    hive = undefined;
    expect(existsSync(socketOf(runDir))).toBe(false);
    folder.remove();
  });

  it('comes with a new agent and goes with a removed one', async () => {
    hive = await (await TestHive.start({ agents: ['alice'] })).withGateway();
    const { run_dir: runDir } = await hive.addAgent('bob');
    await expect.poll(() => existsSync(socketOf(runDir))).toBe(true);
    await hive.removeAgent('bob');
    await expect.poll(() => existsSync(socketOf(runDir))).toBe(false);
    const { run_dir: again } = await hive.addAgent('bob');
    expect(again).toBe(runDir);
    await expect.poll(() => existsSync(socketOf(runDir))).toBe(true);
    expect((await initialize(socketOf(runDir), tokenOf('bob'))).status).toBe(200);
  });

  it('is made again by a new gateway, and after the broker came back', async () => {
    hive = await (await TestHive.start({ agents: ['alice'] })).withGateway();
    const socket = socketOf(hive.agent('alice').run_dir);
    await expect.poll(() => existsSync(socket)).toBe(true);
    await hive.gateway?.stop();
    expect(existsSync(socket)).toBe(false);
    await hive.broker.kill();
    await hive.withGateway();
    await hive.startBroker();
    await expect.poll(() => existsSync(socket), { timeout: 10_000 }).toBe(true);
    expect((await initialize(socket, tokenOf('alice'))).status).toBe(200);
  });

  it('comes when its folder does', async () => {
    hive = await TestHive.start({ agents: ['alice'] });
    const { run_dir: runDir } = hive.agent('alice');
    rmSync(runDir, { recursive: true });
    await hive.withGateway();
    // Another agent's socket shows that the gateway has gone through the list once.
    const bob = await hive.addAgent('bob');
    await expect.poll(() => existsSync(socketOf(bob.run_dir))).toBe(true);
    mkdirSync(runDir);
    await expect.poll(() => existsSync(socketOf(runDir)), { timeout: 10_000 }).toBe(true);
  });
});
