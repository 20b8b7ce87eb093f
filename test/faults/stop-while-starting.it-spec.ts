import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { socketPath } from '#libs/ipc';

import { verifies } from '../requirements/verifies.js';

const CLONE = path.resolve(import.meta.dirname, '../..');
const SERVICES = ['broker', 'c0re', 'dashboard', 'gateway', 'scheduler'] as const;
type Service = (typeof SERVICES)[number];
/** A service that is told to stop while it starts has ended by then, in milliseconds: its own bound is 10 s. */
const STOP_MS = 12_000;
/** Parts of the time that a start takes at which the others are told to stop. */
const MOMENTS = [0, 0.4, 0.8, 1] as const;

/** Loaded before the service: says when its listener for SIGTERM is there, and how many packages were loaded by then. */
const TELL = `data:text/javascript,import Module from 'node:module'; process.on('newListener', (event) => { if (event === 'SIGTERM') process.send({ type: 'catches', loaded: Object.keys(Module._cache).length }); });`;

/** Sends it a SIGTERM in the moment in which it can. */
const TERMINATE = `data:text/javascript,process.on('newListener', (event) => { if (event === 'SIGTERM') process.nextTick(() => process.kill(process.pid, 'SIGTERM')); });`;

let folder: string;
const children: ChildProcess[] = [];
/** What they wrote to stderr: nothing, as their log level is `fatal` and a Redis that is away is no error. */
let said = '';

beforeEach(() => {
  said = '';
  folder = mkdtempSync(path.join(tmpdir(), 'hive-st-'));
  // c0re's git runs as a user of its own, and mkdtemp's 0700 would lock it out.
  chmodSync(folder, 0o755);
  for (const name of ['db', 'web', 'home']) mkdirSync(path.join(folder, name));
  writeFileSync(path.join(folder, 'web', 'index.html'), '<!doctype html>');
  const sockets = [
    ...['gateway', 'dashboard', 'scheduler', 'c0re'].map((peer) => ['broker', peer] as const),
    ...['dashboard', 'gateway', 'scheduler', 'admin'].map((peer) => ['c0re', peer] as const),
  ];
  for (const [server, client] of sockets)
    mkdirSync(path.dirname(socketPath(folder, server, client)), { recursive: true });
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Without peers and without Redis: none of them is needed to start or to stop. */
function start(service: Service, preload = TELL, env = environment()): ChildProcess {
  const main = path.join(CLONE, 'dist/apps', service, 'src/main.js');
  const child = spawn(process.execPath, ['--import', preload, main], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env,
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  children.push(child);
  return child;
}

function environment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HIVE_LOG_LEVEL: 'fatal',
    HIVE_HOME: path.join(folder, 'home'),
    HIVE_DB_DIR: path.join(folder, 'db'),
    HIVE_RUNTIME_DIR: folder,
    HIVE_REDIS_URL: `unix://${folder}/no-redis.sock`,
    HIVE_WEB_DIR: path.join(folder, 'web'),
    HIVE_DASHBOARD_PORT: '0',
    HIVE_GATEWAY_PORT: '0',
    HIVE_GATEWAY_URL: 'http://127.0.0.1:9',
    HIVE_CONTAINER_DRIVER: 'process',
    ...(process.getuid?.() === 0 ? { HIVE_UID_BASE: '1900000000' } : {}),
  };
}

/** Waits until the process catches SIGTERM, and starts. */
async function catchesSignals(child: ChildProcess): Promise<void> {
  expect((await once(child, 'message'))[0]).toEqual({ type: 'catches', loaded: 0 });
}

describe(verifies('3.6', 'P28') + 'SIGTERM while a service starts', () => {
  it.each(SERVICES)('%s ends with 0 within its bound, at each moment', async (service) => {
    const first = start(service);
    await catchesSignals(first);
    const began = performance.now();
    expect((await once(first, 'message'))[0]).toEqual({ type: 'ready' });
    const startMs = performance.now() - began;
    const exits: unknown[] = [await stop(first)];
    for (const moment of MOMENTS) {
      const child = start(service);
      await catchesSignals(child);
      await sleep(moment * startMs);
      exits.push(await stop(child));
    }
    expect(exits).toEqual(exits.map(() => [0, null]));
    expect(said).toBe('');
  });

  it('ends it before it begins, when it had not loaded its code yet', async () => {
    // It would fail in this environment, with 1.
    const [code] = (await once(start('broker', TERMINATE, {}), 'exit')) as [number];
    expect(code).toBe(0);
  });
});

async function stop(child: ChildProcess): Promise<unknown[]> {
  const began = performance.now();
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const how = await exit;
  expect(performance.now() - began).toBeLessThan(STOP_MS);
  return how;
}
