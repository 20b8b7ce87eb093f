import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { HiveFile, MessageRow } from '#libs/protocol';

import { run } from '../program.js';
import { FakeDashboard } from './fake-dashboard.js';

/** What a command did. */
export interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** `hive` in this process, with a state folder of its own, in front of a dashboard that says what a test wants. */
export class TestCli {
  readonly home = mkdtempSync(path.join(tmpdir(), 'hive-cli-'));
  readonly dashboard = new FakeDashboard();
  /** The time of every command. */
  readonly now = Date.UTC(2026, 0, 1, 12);

  async start(): Promise<void> {
    for (const folder of ['run', 'secrets', 'config']) mkdirSync(path.join(this.home, folder));
    writeFileSync(path.join(this.home, 'secrets', 'operator-token'), 'the-token\n');
    await this.dashboard.start();
  }

  async stop(): Promise<void> {
    await this.dashboard.stop();
    rmSync(this.home, { recursive: true, force: true });
  }

  /** Before each test: nothing was asked yet, and the hive runs. */
  reset(): void {
    this.dashboard.requests.length = 0;
    this.hiveFile();
  }

  async hive(
    args: string[],
    { env = {}, input = '' }: { env?: object; input?: string } = {},
  ): Promise<Outcome> {
    const outcome: Outcome = { code: -1, out: '', err: '' };
    outcome.code = await run(args, {
      surroundings: {
        env: { HIVE_HOME: this.home, ...env },
        cwd: this.home,
        programRoot: this.home,
      },
      terminal: {
        out: (text) => {
          outcome.out += `${text}\n`;
        },
        err: (text) => {
          outcome.err += `${text}\n`;
        },
        readInput: () => Promise.resolve(input),
      },
      now: () => this.now,
    });
    return outcome;
  }

  hiveFile(change: Partial<HiveFile> = {}): void {
    const file: HiveFile = {
      ready_at: '2026-01-01T11:00:00.000Z',
      hive_rev: 'abc1234',
      dashboard_url: this.dashboard.url,
      gateway_url: 'http://127.0.0.1:7001',
      redis_url: 'unix:///r',
      services: [{ name: 'broker', pid: 12, started_at: '2026-01-01T11:59:30.000Z' }],
      sockets: {},
      supervisor_pid: process.pid,
      ...change,
    } as HiveFile;
    writeFileSync(path.join(this.home, 'run', 'hive.json'), JSON.stringify(file));
  }
}

/** A message to the operator that is not read yet. */
export function message(id: string, change: Partial<MessageRow> = {}): MessageRow {
  return {
    version: 1,
    id,
    thread_id: id,
    from: 'scout',
    from_kind: 'agent',
    to: 'operator',
    body: `note ${id}`,
    sent_at: '2026-01-01T11:58:00.000Z',
    priority: 'normal',
    broadcast: false,
    hop: 0,
    kind: 'message',
    deliveries: [
      {
        to: 'operator',
        state: 'queued',
        since: '2026-01-01T11:58:00.000Z',
        attempt: 1,
        hand_outs: 0,
      },
    ],
    ...change,
  };
}
