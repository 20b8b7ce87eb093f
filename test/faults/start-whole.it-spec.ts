import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { HiveFile, MessageRow } from '#libs/protocol';

import { verifies } from '../requirements/verifies.js';
import { freePorts } from '../support/free-ports.js';
import { isAlive, processesOf } from './stand-in/supervisor-run.js';

const SOURCE = path.resolve(import.meta.dirname, '../..');
/** What `git clone` and one build bring; the packages are shared with this clone. */
const PARTS = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.base.json',
  'scripts',
  'apps',
  'libs',
  'bench',
  'test/crash',
  'test/support',
  'dist',
];
/** What a start may take here, with a build that other tests hinder, in milliseconds. */
const START_MS = 150_000;
const TEST_MS = 300_000;

/** `npm start` itself, from its first line to its exit code. */
class NpmStart {
  output = '';
  readonly ended: Promise<number | string | null>;
  private readonly child;

  constructor(
    private readonly clone: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ) {
    // In a session of its own, as a terminal gives it: a signal to the group is Ctrl-C.
    this.child = spawn('npm', ['start', '--', ...args], {
      cwd: clone,
      detached: true,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer): void => {
      this.output += chunk.toString();
    };
    this.child.stdout.on('data', keep);
    this.child.stderr.on('data', keep);
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve(signal ?? code));
    });
  }

  file(): HiveFile | undefined {
    const file = path.join(this.clone, '.hive/run/hive.json');
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as HiveFile) : undefined;
  }

  /** Ctrl-C in the terminal: npm and all that it started get the signal. */
  ctrlC(): Promise<number | string | null> {
    process.kill(-(this.child.pid ?? 0), 'SIGINT');
    return this.ended;
  }

  /** What a program does that ends only the process it started. */
  endNpm(): Promise<number | string | null> {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}

describe(
  verifies('10.1', 'P29') + 'npm start with all services, in a closed folder',
  { timeout: TEST_MS },
  () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'hive-whole-'));
    const clone = path.join(folder, 'clone');
    const runs: NpmStart[] = [];
    let args: string[];

    beforeAll(async () => {
      for (const part of PARTS) {
        cpSync(path.join(SOURCE, part), path.join(clone, part), {
          recursive: true,
          preserveTimestamps: true,
        });
      }
      symlinkSync(path.join(SOURCE, 'node_modules'), path.join(clone, 'node_modules'));
      chmodSync(folder, 0o700);
      const [dashboard = 0, gateway = 0] = await freePorts(2);
      args = ['--dashboard-port', String(dashboard), '--gateway-port', String(gateway)];
    });
    afterAll(async () => {
      for (const run of runs) {
        if (run.file() !== undefined) await run.endNpm();
      }
      rmSync(folder, { recursive: true, force: true });
    });

    async function start(more: readonly string[] = []): Promise<NpmStart> {
      const run = new NpmStart(clone, [...args, ...more]);
      runs.push(run);
      await expect
        .poll(() => run.output, { timeout: START_MS, interval: 100 })
        .toMatch(/Ctrl-C|Error|cannot|failed/);
      expect(run.output).toContain('Hyperhive is ready');
      return run;
    }

    async function messages(run: NpmStart): Promise<MessageRow[]> {
      const token = readFileSync(path.join(clone, '.hive/secrets/operator-token'), 'utf8').trim();
      const answer = await fetch(`${run.file()?.dashboard_url}/api/messages`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return ((await answer.json()) as { messages: MessageRow[] }).messages;
    }

    it('starts a swarm that talks, logs the operator in, and ends whole at Ctrl-C', async () => {
      const run = await start(['--demo']);
      const link = /http:\/\/\S+\/login\?token=\S+/.exec(run.output)?.[0] ?? '';
      const answer = await fetch(link, { redirect: 'manual' });
      expect(answer.status).toBe(303);
      expect(answer.headers.get('set-cookie')).toContain('hive_session_');
      await expect
        .poll(async () => new Set((await messages(run)).map((message) => message.from)).size, {
          timeout: 60_000,
          interval: 500,
        })
        .toBeGreaterThanOrEqual(3);
      const pids = run.file()?.services.map((service) => service.pid) ?? [];
      expect(await run.ctrlC()).toBe(0);
      expect(run.output.trim().endsWith('stopped')).toBe(true);
      expect(run.file()).toBeUndefined();
      expect(pids.filter(isAlive)).toEqual([]);
      expect(processesOf(clone)).toEqual([]);
    });

    it('has nothing to set up the second time, and stops when npm alone is told to', async () => {
      const run = await start();
      expect(run.output).not.toContain('set-up:');
      expect(await run.endNpm()).toBe(0);
      expect(processesOf(clone)).toEqual([]);
    });

    it('waits for another set-up of the same clone, but not for one that died', async () => {
      const lock = path.join(clone, 'dist', '.set-up.lock');
      writeFileSync(lock, JSON.stringify({ pid: process.pid }));
      const waiting = new NpmStart(clone, ['--help']);
      await expect
        .poll(() => waiting.output, { timeout: 30_000 })
        .toContain(`waiting for another set-up of this clone (process ${process.pid})`);
      rmSync(lock);
      expect(await waiting.ended).toBe(0);
      expect(waiting.output).toContain('--dashboard-port');

      const dead = spawnSync('true').pid;
      writeFileSync(lock, JSON.stringify({ pid: dead }));
      const next = new NpmStart(clone, ['--help']);
      expect(await next.ended).toBe(0);
      expect(next.output).not.toContain('waiting');
      expect(existsSync(lock)).toBe(false);
    });
  },
);
