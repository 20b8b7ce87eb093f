import { Agent, request } from 'node:http';
import path from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../test/requirements/verifies.js';
import { freePort } from './testing/free-port.js';
import { TestHive, tokenOf } from './testing/test-hive.js';

/** Calls before the first measurement: caches and compiled code are warm then. */
const WARM_UP = 3000;
/** Calls between the two measurements; the bound per call is far above the noise of a heap of some 20 MB. */
const CALLS = 20_000;
/** Calls under way at once. */
const AT_ONCE = 16;
/** Bytes that one call may leave behind. */
const MOST_PER_CALL = 50;
/** Waiting calls that are given up between the two measurements, and bytes that one may leave behind. */
const GIVEN_UP = 8000;
const MOST_PER_GIVEN_UP = 200;
/** Waiting calls under way at once: the gateway's limit. */
const WAITING_AT_ONCE = 8;
/** Bytes that one idle session with its GET stream may take. */
const MOST_PER_SESSION = 60 * 1024;

const PROBE = path.join(import.meta.dirname, 'testing/heap-probe.mjs');

let hive: TestHive | undefined;

afterEach(async () => {
  await hive?.stop();
  hive = undefined;
});

type Heap = { type: 'heap_is'; heapUsed: number; external: number };

async function heapBytes(): Promise<number> {
  const heap = await hive?.gatewayProcess?.ask<Heap>('heap', 'heap_is');
  return (heap?.heapUsed ?? 0) + (heap?.external ?? 0);
}

async function startMeasured(agents: string[]): Promise<TestHive> {
  hive = await TestHive.start({ agents });
  return hive.withGatewayProcess(await freePort(), {
    nodeOptions: ['--expose-gc', '--import', PROBE],
    env: { HIVE_LOG_LEVEL: 'warn' },
  });
}

/** A raw client: thousands of calls through the SDK's own would measure the client's speed. */
class RawSession {
  private nextId = 1;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  private session: string | undefined;

  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async open(): Promise<void> {
    await this.post('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'raw', version: '1' },
    });
  }

  tool(name: string, args: object): Promise<string> {
    return this.post('tools/call', { name, arguments: args });
  }

  /** Opens the GET stream and leaves it open. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      const stream = request(
        `${this.url}/mcp`,
        { headers: { ...this.headers(), accept: 'text/event-stream' } },
        (answer) => {
          answer.on('error', () => {});
          answer.resume();
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`the GET stream was answered ${answer.statusCode}`));
        },
      );
      stream.on('error', reject);
      stream.end();
    });
  }

  /** Lets a `recv` wait, then gives it up: by closing the connection, or by cancelling it until its stream ends. */
  giveUp(how: 'close' | 'cancel'): Promise<void> {
    const id = this.nextId++;
    const params = { name: 'recv', arguments: { wait_seconds: 180 } };
    return new Promise((resolve, reject) => {
      const outgoing = request(
        `${this.url}/mcp`,
        { method: 'POST', agent: this.agent, headers: this.headers() },
        (answer) => {
          answer.resume();
          answer.on('error', () => {});
          answer.on('close', resolve);
          if (how === 'close') outgoing.destroy();
          else this.post('notifications/cancelled', { requestId: id }, null).catch(reject);
        },
      );
      outgoing.on('error', reject);
      outgoing.end(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params }));
    });
  }

  private headers(): Record<string, string> {
    return {
      authorization: `Bearer ${this.token}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...(this.session ? { 'mcp-session-id': this.session } : {}),
    };
  }

  private post(method: string, params: object, id: number | null = this.nextId++): Promise<string> {
    const body = JSON.stringify({ jsonrpc: '2.0', ...(id === null ? {} : { id }), method, params });
    return new Promise((resolve, reject) => {
      const outgoing = request(
        `${this.url}/mcp`,
        { method: 'POST', agent: this.agent, headers: this.headers() },
        (answer) => {
          this.session ??= answer.headers['mcp-session-id'] as string;
          let text = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          answer.on('end', () => resolve(text));
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

async function callMany(session: RawSession, count: number): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const answer = await (left % 4 === 0
        ? session.tool('whoami', {})
        : left % 4 === 1
          ? session.tool('recv', { unknown: 1 })
          : session.tool('recv', {}));
      if (!answer.includes('"result"')) throw new Error(answer);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function giveUpMany(session: RawSession, count: number): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await session.giveUp(left % 2 === 0 ? 'close' : 'cancel');
    }
  };
  await Promise.all(Array.from({ length: WAITING_AT_ONCE }, worker));
}

describe(`${verifies('P36')}memory of the gateway`, () => {
  it(`does not grow by the call (${CALLS} calls)`, { timeout: 180_000 }, async () => {
    const { url } = await startMeasured(['alice']);
    const session = new RawSession(url, tokenOf('alice'));
    await session.open();
    await callMany(session, WARM_UP);
    const before = await heapBytes();
    await callMany(session, CALLS);
    const perCall = ((await heapBytes()) - before) / CALLS;
    process.stdout.write(`heap growth per MCP call: ${perCall.toFixed(1)} bytes\n`);
    expect(perCall).toBeLessThan(MOST_PER_CALL);
  });

  it('does not grow by the call that was given up', { timeout: 180_000 }, async () => {
    const { url } = await startMeasured(['alice']);
    const session = new RawSession(url, tokenOf('alice'));
    await session.open();
    await callMany(session, 500);
    await giveUpMany(session, 2000);
    const before = await heapBytes();
    await giveUpMany(session, GIVEN_UP);
    const perCall = ((await heapBytes()) - before) / GIVEN_UP;
    process.stdout.write(`heap growth per given up call: ${perCall.toFixed(1)} bytes\n`);
    expect(perCall).toBeLessThan(MOST_PER_GIVEN_UP);
    await expect(session.tool('recv', {})).resolves.toContain('"pending":0');
  });

  it('is at most 60 KiB for an idle session', { timeout: 120_000 }, async () => {
    const agents = Array.from({ length: 20 }, (_, n) => `agent-${n}`);
    const { url } = await startMeasured(agents);
    const openAll = (names: string[]) =>
      Promise.all(
        names.flatMap((name) =>
          Array.from({ length: 16 }, async () => {
            const session = new RawSession(url, tokenOf(name));
            await session.open();
            await session.tool('whoami', {});
            await session.listen();
          }),
        ),
      );
    await openAll(agents.slice(0, 4));
    const before = await heapBytes();
    await openAll(agents.slice(4));
    const perSession = ((await heapBytes()) - before) / (16 * 16);
    process.stdout.write(`an idle MCP session: ${(perSession / 1024).toFixed(1)} KiB\n`);
    expect(perSession).toBeLessThan(MOST_PER_SESSION);
  });
});
