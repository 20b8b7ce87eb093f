import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';

import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { parseSeq, type HiveEvent, type SendResult, type StateSnapshot } from '#libs/protocol';
import { redisOptions } from '#libs/queues';

import { verifies } from '../requirements/verifies.js';
import { startHive, type RunningHive } from '../support/hive.js';

type Frame = HiveEvent | { kind: 'resync'; seq?: undefined };

/** A service is back within a second or two; a busy machine gets longer, in milliseconds. */
const BACK = { timeout: 30_000, interval: 100 };

let hive: RunningHive;
const sockets: WebSocket[] = [];

beforeAll(async () => {
  hive = await startHive();
  // An agent without a harness: messages to it stay where they are.
  await hive.api('POST', '/api/agents?wait=1', { name: 'scout', config: { driver: 'external' } });
});
afterAll(() => hive?.stop());
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.terminate();
});

function send(body: string): Promise<SendResult> {
  return hive.api('POST', '/api/messages', { to: 'scout', body });
}

/** Follows the event channel from a place, as a script does. */
async function follow(after: string): Promise<Frame[]> {
  const frames: Frame[] = [];
  const url = `${hive.dashboardUrl.replace('http', 'ws')}/events?after=${after}`;
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${hive.operatorToken}` },
  });
  sockets.push(socket);
  socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as Frame));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return frames;
}

function bodiesIn(frames: Frame[]): string[] {
  return frames.flatMap((frame) => (frame.kind === 'message_sent' ? [frame.message.body] : []));
}

/** Whether the places of the frames follow each other without a gap. */
function isGapless(after: string, frames: Frame[]): boolean {
  let last = parseSeq(after);
  return frames.every(({ seq }) => {
    const next = parseSeq(seq ?? '');
    const follows = next?.epoch === last?.epoch && next?.n === (last?.n ?? 0) + 1;
    last = next;
    return follows;
  });
}

async function stateOf(): Promise<StateSnapshot> {
  return hive.api<StateSnapshot>('GET', '/api/state');
}

/** SIGKILLs a service and waits until a new process of it is registered as running. */
async function kill(name: string): Promise<void> {
  const pid = hive.servicePid(name);
  process.kill(pid, 'SIGKILL');
  await expect
    .poll(() => {
      const service = hive.file()?.services.find((one) => one.name === name);
      return service !== undefined && service.pid !== pid && service.state === 'running';
    }, BACK)
    .toBe(true);
}

async function command(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const program = path.resolve(import.meta.dirname, '../../dist/apps/cli/src/main.js');
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env['PATH'], HIVE_HOME: hive.home },
  });
  const [out, err, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number>((resolve) => {
      child.once('exit', (exit) => resolve(exit ?? -1));
    }),
  ]);
  return { code, out, err };
}

describe(verifies('8.4', 'P30') + "the operator's door of a real hive", () => {
  it('lets one login per link in; the cookie alone reads the page and nothing of the API', async () => {
    const link = await hive.loginLink();
    const first = await fetch(link, { redirect: 'manual' });
    expect(first.status).toBe(303);
    expect((await fetch(link, { redirect: 'manual' })).status).toBe(401);
    const cookie = String(first.headers.get('set-cookie')).split(';', 1)[0] ?? '';
    const secret = /#session=(.+)$/.exec(String(first.headers.get('location')))?.[1] ?? '';

    const page = await fetch(hive.dashboardUrl, { headers: { cookie, accept: 'text/html' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/html'),
    ]);
    const state = new URL('/api/state', hive.dashboardUrl);
    expect((await fetch(state, { headers: { cookie } })).status).toBe(401);
    expect((await fetch(state, { headers: { 'x-hive-session': secret } })).status).toBe(401);
    const session = { cookie, 'x-hive-session': secret };
    expect((await fetch(state, { headers: session })).status).toBe(200);

    const logout = new URL('/api/logout', hive.dashboardUrl);
    expect((await fetch(logout, { method: 'POST', headers: session })).status).toBe(204);
    expect((await fetch(state, { headers: session })).status).toBe(401);
  });

  it('knows no agent token', async () => {
    const token = readFileSync(path.join(hive.home, 'agents/scout/run/token'), 'utf8').trim();
    const state = new URL('/api/state', hive.dashboardUrl);
    const answer = await fetch(state, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(401);
  });

  it('writes no token, cookie or secret into any log', async () => {
    const answer = await fetch(await hive.loginLink(), { redirect: 'manual' });
    const cookie = /=([^;]+);/.exec(String(answer.headers.get('set-cookie')))?.[1] ?? 'none';
    const secret = /#session=(.+)$/.exec(String(answer.headers.get('location')))?.[1] ?? 'none';
    for (const service of ['dashboard', 'c0re', 'broker', 'gateway', 'supervisor']) {
      const log = hive.log(service, 10_000);
      for (const word of [cookie, secret, hive.operatorToken]) expect(log).not.toContain(word);
    }
  });
});

describe(verifies('7.1', 'P38') + 'the event channel of a real hive', () => {
  it('brings what happens after the snapshot, gapless, until the state read again says the same', async () => {
    const { seq } = await stateOf();
    const frames = await follow(seq);
    await Promise.all(Array.from({ length: 30 }, (_, n) => send(`first ${n}`)));
    await expect.poll(() => bodiesIn(frames).length, BACK).toBe(30);
    expect(isGapless(seq, frames)).toBe(true);
    const { messages } = await stateOf();
    const known = new Map(messages.map((message) => [message.id, message]));
    for (const frame of frames) {
      if (frame.kind !== 'message_sent' && frame.kind !== 'delivery_changed') continue;
      const row = known.get(frame.message.id);
      expect(row?.version).toBeGreaterThanOrEqual(frame.message.version);
    }
  });

  it('resumes without loss over a killed dashboard', async () => {
    const { seq } = await stateOf();
    const frames = await follow(seq);
    await send('before');
    await expect.poll(() => bodiesIn(frames), BACK).toEqual(['before']);
    const last = frames.at(-1)?.seq ?? '';
    await kill('dashboard');
    await send('after');
    const more = await follow(last);
    await expect.poll(() => bodiesIn(more), BACK).toEqual(['after']);
    expect(isGapless(last, more)).toBe(true);
  });

  it('goes on with the same socket over a killed broker, and loses no send', async () => {
    const { seq } = await stateOf();
    const frames = await follow(seq);
    const killed = kill('broker');
    const sent = await Promise.all(Array.from({ length: 20 }, (_, n) => send(`over ${n}`)));
    await killed;
    expect(new Set(sent.map(({ id }) => id)).size).toBe(20);
    await expect.poll(() => new Set(bodiesIn(frames)).size, BACK).toBe(20);
    expect(frames.every(({ kind }) => kind !== 'resync')).toBe(true);
  });

  it('keeps messages going with Redis killed, and tells of all of them when it is back', async () => {
    const frames = await follow((await stateOf()).seq);
    await kill('redis');
    await send('while it was away');
    await expect
      .poll(async () => {
        const isLost = frames.some(({ kind }) => kind === 'resync');
        const told = isLost ? (await stateOf()).messages.map(({ body }) => body) : bodiesIn(frames);
        return told.includes('while it was away');
      }, BACK)
      .toBe(true);
  });

  it('says resync after FLUSHALL, and goes on in a new epoch', async () => {
    const { seq } = await stateOf();
    const frames = await follow(seq);
    await send('old epoch');
    await expect.poll(() => bodiesIn(frames), BACK).toEqual(['old epoch']);
    const url = readFileSync(path.join(hive.home, 'secrets/redis-url'), 'utf8').trim();
    const redis = new Redis(redisOptions(url));
    await redis.flushall();
    redis.disconnect();
    await expect.poll(() => frames.at(-1)?.kind, BACK).toBe('resync');
    await send('new epoch');
    await expect.poll(() => bodiesIn(frames).at(-1), BACK).toBe('new epoch');
    const after = parseSeq((await stateOf()).seq);
    expect(after?.epoch).toBeGreaterThan(parseSeq(seq)?.epoch ?? 0);
    const late = await follow(seq);
    await expect.poll(() => late[0]?.kind, BACK).toBe('resync');
  });
});

describe(verifies('10.4') + 'the hive command at a real hive', () => {
  it('lives an agent from spawn to destroy', async () => {
    const folder = path.join(hive.home, 'shared');
    const yaml = path.join(folder, 'agent.yaml');

    writeFileSync(yaml, 'driver: command\ncommand: ["true"]\n');
    expect(await command('spawn', 'worker', '--file', yaml)).toMatchObject({ code: 0 });
    const agents = await command('agents', '--json');
    const { agents: rows } = JSON.parse(agents.out) as {
      agents: { name: string; state: string }[];
    };
    expect(rows.find(({ name }) => name === 'worker')?.state).toBe('running');
    for (const verb of ['stop', 'start', 'restart', 'destroy']) {
      expect([verb, await command(verb, 'worker')]).toEqual([
        verb,
        { code: 0, out: `worker: ${verb} done\n`, err: '' },
      ]);
    }
    expect((await command('agents')).out).not.toContain('worker');
  });

  it('shows a typo in agent.yaml with its line, and makes nothing', async () => {
    const yaml = path.join(hive.home, 'shared', 'typo.yaml');
    writeFileSync(yaml, '# mine\ndriver: external\nmodle: sonnet\n');
    const { code, err } = await command('spawn', 'typo', '--file', yaml);
    expect(code).toBe(1);
    expect(err).toContain('modle');
    expect(err).toContain('line 3');
    expect((await command('agents')).out).not.toContain('typo');
  });

  it('sends, refuses and shows as the API does', async () => {
    expect((await command('send', 'scout', 'from the shell')).out).toMatch(/^m\d+ to scout/);
    const refused = await command('send', 'ghost', 'x', '--json');
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.err)).toMatchObject({ error: { code: 'unknown_recipient' } });
    expect(await command('inbox')).toMatchObject({ code: 0, out: 'nothing waits for you\n' });
    const status = await command('status');
    expect(status.code).toBe(0);
    for (const service of ['broker', 'c0re', 'dashboard']) expect(status.out).toContain(service);
    const { code, out } = await command('login-link');
    expect(code).toBe(0);
    expect((await fetch(out.trim(), { redirect: 'manual' })).status).toBe(303);
  });
});
