import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { HttpSocketClient, socketPath } from '#libs/ipc';
import type { AgentRecord, C0reAnswers, OperationRow } from '#libs/protocol';
import type { C0rePeer } from '#libs/requests';
import { createLogger, systemClock, type Clock } from '#libs/service';

import { C0reModule } from '../c0re.module.js';
import { C0re } from '../c0re.service.js';
import { isLiving, readProcess } from '../containers/process/process-table.js';
import type { C0reEnv } from '../settings/c0re.env.js';
import { C0reSettings, type Timings } from '../settings/c0re.settings.js';
import { FAKE_HARNESS } from './fake-harness.js';
import { readableByAll } from './readable-copy.js';

/**
 * First user id of the hives that tests start as root: another one in each test process, because c0re ends every process
 * of an agent's user, and in no block that a real hive takes. Ids of two processes differ by at least 8, their agents'
 * by that modulo 65,536.
 */
export const UID_BASE = 33_554_432 + (process.pid % 8192) * 8;
export const isRoot = process.getuid?.() === 0;

export type Verb = 'start' | 'stop' | 'restart' | 'rebuild' | 'destroy' | 'revive' | 'purge';

export interface FixtureOptions {
  clock?: Clock;
  timings?: Partial<Timings>;
  env?: Partial<C0reEnv>;
}

/** A folder with everything that c0re needs, and c0re in this process. */
export class C0reFixture {
  readonly root: string;
  readonly home: string;
  readonly runtimeDir: string;
  readonly env: C0reEnv;
  readonly nodePath: string;
  private app: INestApplicationContext | undefined;
  private readonly clients = new Map<C0rePeer, HttpSocketClient>();

  constructor(private readonly options: FixtureOptions = {}) {
    this.root = mkdtempSync(path.join(tmpdir(), 'c0re-'));
    chmodSync(this.root, 0o755);
    this.home = path.join(this.root, 'home');
    mkdirSync(this.home);
    chmodSync(this.home, 0o711);
    this.runtimeDir = path.join(this.root, 'run');
    this.nodePath = readableByAll(process.execPath, this.root);
    const harness = path.join(this.root, 'harness.mjs');
    writeFileSync(harness, FAKE_HARNESS);
    this.env = {
      HIVE_HOME: this.home,
      HIVE_RUNTIME_DIR: this.runtimeDir,
      HIVE_DB_DIR: path.join(this.home, 'db', 'c0re'),
      HIVE_GATEWAY_URL: 'http://127.0.0.1:7001',
      HIVE_LOG_LEVEL: 'fatal',
      HIVE_REV: 'test-rev',
      HIVE_HARNESS_MAIN: harness,
      HIVE_CONTAINER_DRIVER: 'process',
      ...(isRoot ? { HIVE_UID_BASE: UID_BASE } : {}),
      ...options.env,
    };
  }

  /** A fixture with c0re started. */
  static async started(options: FixtureOptions = {}): Promise<C0reFixture> {
    const fixture = new C0reFixture(options);
    await fixture.start();
    return fixture;
  }

  async start(): Promise<void> {
    const settings = new C0reSettings(this.env, isRoot, {
      nodePath: this.nodePath,
      timings: {
        termMs: 1500,
        leftoversMs: 300,
        firstBackOffMs: 50,
        settleMs: 400,
        adoptedPollMs: 20,
        brokerMs: 100,
        healthyMs: 5000,
        ...this.options.timings,
      },
    });
    this.app = await NestFactory.createApplicationContext(
      C0reModule.forRoot({
        settings,
        clock: this.options.clock ?? systemClock,
        logger: createLogger('c0re', this.env.HIVE_LOG_LEVEL),
      }),
      { logger: false, abortOnError: false },
    );
    await this.get(C0re).start();
  }

  get<T>(type: new (...args: never[]) => T): T {
    if (!this.app) throw new Error('c0re is not started');
    return this.app.get<T>(type);
  }

  /** Stops c0re as the supervisor does; the agents go on. */
  async stop(): Promise<void> {
    for (const client of this.clients.values()) client.close();
    this.clients.clear();
    await this.app?.get(C0re).stop();
    await this.app?.close();
    this.app = undefined;
  }

  /** Ends everything and removes the folder. */
  async remove(): Promise<void> {
    if (this.app) {
      await this.post('admin', '/v1/agents/stop-all');
      await this.stop();
    }
    rmSync(this.root, { recursive: true, force: true });
  }

  socket(peer: C0rePeer): string {
    return socketPath(this.runtimeDir, 'c0re', peer);
  }

  client(peer: C0rePeer): HttpSocketClient {
    const client = this.clients.get(peer) ?? new HttpSocketClient(this.socket(peer));
    this.clients.set(peer, client);
    return client;
  }

  getJson<T>(peer: C0rePeer, url: string, headers: Record<string, string> = {}): Promise<T> {
    return this.client(peer).call<T>({ method: 'GET', path: url, headers });
  }

  post<T>(
    peer: C0rePeer,
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    return this.client(peer).call<T>({ method: 'POST', path: url, body, headers });
  }

  /** Makes a `command` agent whose fake harness does that, and waits for the operation. */
  spawn(name: string, command: string[] = ['idle'], more: object = {}): Promise<OperationRow> {
    return this.operation('/v1/agents', {
      name,
      config: { driver: 'command', command, ...more },
    });
  }

  /** Sends what ends in an operation by the admin socket, and waits for it. */
  async operation(url: string, body?: unknown): Promise<OperationRow> {
    const { operation } = await this.post<C0reAnswers['operation']>('admin', `${url}?wait=1`, body);
    return operation;
  }

  verb(name: string, verb: Verb, body: object = {}): Promise<OperationRow> {
    return this.operation(`/v1/agents/${name}/${verb}`, body);
  }

  async agent(name: string): Promise<AgentRecord> {
    return (await this.getJson<C0reAnswers['agent']>('admin', `/v1/agents/${name}`)).agent;
  }

  agentPath(name: string, ...rest: string[]): string {
    return path.join(this.home, 'agents', name, ...rest);
  }

  /** What the fake harness noted in the agent's state folder; undefined until it did. */
  noted(name: string, file: string): unknown {
    const note = this.agentPath(name, 'state', file);
    if (!existsSync(note)) return undefined;
    const text = readFileSync(note, 'utf8');
    return text === '' ? undefined : JSON.parse(text);
  }
}

/** Whether a process of that id lives; a zombie does not. */
export function lives(pid: number): boolean {
  const entry = readProcess(pid);
  return entry !== undefined && isLiving(entry);
}
