import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { RegistryAgent } from '#libs/protocol';
import { createLogger, ManualClock, type Clock } from '#libs/service';
import { openDatabase, type Db } from '#libs/store';

import { openBroker, type OpenBroker } from '../../broker.js';
import { Writer } from '../../storage/writer.service.js';
import { AGENTS, DRIVEN, type AgentName } from './actions.js';
import { checkRows } from './checks.js';
import { HarnessClient } from './harness-client.js';
import { Ledger } from './ledger.js';
import { checkPromises } from './promise-checks.js';
import { SimGateway, messagesOf, type SimCall } from './sim-gateway.js';
import { SimRedis } from './sim-redis.js';

/** Turns of the whole hive that may be live: fewer than its harnesses, so that the limit is met. */
const LIVE_TURNS = 2;
/** Turns of the event loop after which everything that can go on has gone on. */
const SETTLED = 8;
/** The clock moves in steps in which the broker's sweep keeps its time. */
const STEP_MS = 1000;

/** The broker on a disk of its own, its callers, and everything that can happen to them. */
export class World {
  readonly clock = new ManualClock();
  readonly ledger = new Ledger();
  readonly harnesses = new Map<AgentName, HarnessClient>(
    DRIVEN.map((name) => [name, new HarnessClient(name)]),
  );
  readonly bare = { session: 1, shown: new Set<string>(), reported: new Set<string>() };
  readonly states = new Map<AgentName, RegistryAgent['state']>(
    AGENTS.map((name) => [name, 'running']),
  );
  readonly redis = new SimRedis();
  gateway = new SimGateway();
  broker: OpenBroker;
  private incarnation: ProcessClock;
  db: Db;
  private readonly dir = mkdtempSync(path.join(tmpdir(), 'hive-model-'));
  private crashAt: 'beforeCommit' | 'afterCommit' | undefined;
  private crashed = false;
  private revision = 0;
  private requests = 0;

  static async create(): Promise<World> {
    const world = new World();
    await world.start();
    return world;
  }

  /** A request id as the gateway makes it: a UUID v7 of the wall clock, unique by a counter. */
  requestId(): string {
    const time = Math.floor(this.clock.now()).toString(16).padStart(12, '0');
    const n = (++this.requests).toString(16).padStart(12, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${n}`;
  }

  idOf(agent: AgentName): number {
    return AGENTS.indexOf(agent) + 1;
  }

  async start(): Promise<void> {
    this.crashed = false;
    this.crashAt = undefined;
    this.incarnation = new ProcessClock(this.clock);
    this.broker = await openBroker({
      dbDir: this.dir,
      clock: this.incarnation,
      logger: createLogger('broker', 'silent'),
      confirmWithinMs: 0,
      grantLimits: { liveTurns: LIVE_TURNS, perSecond: 50, burst: 100 },
      faults: {
        beforeCommit: () => this.crashHere('beforeCommit'),
        afterCommit: () => this.crashHere('afterCommit'),
      },
    });
    this.db = openDatabase({
      path: path.join(this.dir, 'threads.db'),
      synchronous: 'FULL',
      readonly: true,
    });
    this.ledger.worldSign = this.clock.monotonic();
    await this.broker.c0re.put_registry(
      { revision: ++this.revision, agents: AGENTS.map((name) => this.registryRow(name)) },
      { signal: new AbortController().signal, peer: this.gateway.peer },
    );
  }

  async putAgent(agent: AgentName): Promise<void> {
    const put = { revision: ++this.revision, agent: this.registryRow(agent) };
    this.call('c0re', 'put_agent', put, { caller: 'c0re' });
    await this.settle();
  }

  private registryRow(agent: AgentName): RegistryAgent {
    const harness = this.harnesses.get(agent);
    return {
      agent_id: String(this.idOf(agent)),
      name: agent,
      role: 'agent',
      driver: agent === 'ext' ? 'external' : agent === 'cmd' ? 'command' : 'claude',
      model: null,
      container: agent === 'ext' ? null : 'process',
      token_hash: agentToken(agent),
      state: this.states.get(agent) ?? 'running',
      reason: '',
      instance: harness?.instance ?? 0,
      allowed_recipients: [],
      quiet_window_ms: agent === 'bob' ? 250 : 0,
      inbox_limit: 1000,
      sends_per_minute: 1_000_000_000,
      send_burst: 1_000_000_000,
      reminders_pending: 50,
      reminders_per_hour: 1_000_000,
      reminder_burst: 1_000_000,
      run_dir: `/nowhere/${agent}`,
      deployed_sha: null,
    };
  }

  /** Calls the broker; `arrive` takes the outcome, unless the caller gave up or the broker died. */
  call(
    socket: 'gateway' | 'dashboard' | 'c0re' | 'scheduler',
    method: string,
    params: object,
    options: { caller: string; run?: string; arrive?: (call: SimCall) => void },
  ): SimCall {
    return this.gateway.send(this.broker[socket], {
      method,
      params,
      caller: options.caller,
      run: options.run,
      arrive: options.arrive ?? (() => {}),
    });
  }

  /** Lets everything happen that can, takes answers to their callers, and starts the broker again when it died. */
  async settle(): Promise<void> {
    for (let n = 0; n < SETTLED; n += 1) await new Promise((resolve) => setImmediate(resolve));
    // What left the broker before it died has arrived.
    const done = this.gateway.harvest();
    for (const call of done) {
      const agent = call.caller as AgentName;
      for (const message of messagesOf(call)) this.ledger.handedOut(agent, message);
      if (call.outcome && 'value' in call.outcome && REPLAYED.has(call.method)) {
        this.ledger.answered.push({ method: call.method, params: call.params });
      }
      call.arrive(call);
    }
    if (this.crashed) {
      await this.restart();
      return;
    }
    if (this.gateway.late) throw this.gateway.late;
    if (done.length > 0) await this.settle();
  }

  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.clock.advance(Math.min(left, STEP_MS));
      await this.settle();
    }
  }

  jump(ms: number): void {
    this.clock.jump(ms);
    this.ledger.worldSign = this.clock.monotonic();
  }

  /** The next commit is the broker's last. */
  armCrash(at: 'beforeCommit' | 'afterCommit'): void {
    this.crashAt = at;
  }

  async restart(): Promise<void> {
    this.ledger.lostSight();
    this.ledger.crashes += 1;
    await this.killBroker();
    this.gateway.forget();
    for (const harness of this.harnesses.values()) harness.callsAreLost();
    this.gateway = new SimGateway();
    await this.start();
    this.check();
  }

  /** The connection between gateway and broker is cut and made again. */
  async dropLink(): Promise<void> {
    this.ledger.lostSight();
    this.gateway.drop();
    for (const harness of this.harnesses.values()) harness.callsAreLost();
    this.gateway = new SimGateway();
    this.ledger.worldSign = this.clock.monotonic();
    await this.settle();
  }

  check(): void {
    const offset = this.clock.now() - this.clock.monotonic();
    checkRows(this.db, this.ledger, {
      liveTurns: LIVE_TURNS,
      toMonotonic: (wall) => wall - offset,
    });
    checkPromises(this.db, this.ledger);
  }

  /** What came about in this run. */
  tally(): Record<string, number> {
    const count = (sql: string) => this.db.prepare(sql).pluck().get() as number;
    return {
      sent: this.ledger.sent.size,
      acked: this.ledger.acked.size,
      turns: count('SELECT count(*) FROM turns'),
      failed: count(
        `SELECT count(*) FROM turns WHERE result_kind = 'failed' AND ended_by = 'harness'`,
      ),
      lost_by_harness: count(`SELECT count(*) FROM turns WHERE ended_by IN ('broker', 'late')`),
      redelivered: count('SELECT count(*) FROM deliveries WHERE hand_outs > 1'),
      repeated: this.ledger.repeated,
      crashes: this.ledger.crashes,
      fanned_out: this.ledger.fannedOut.size,
      reminded: count(`SELECT count(*) FROM messages WHERE kind = 'reminder'`),
      outcomes: count(`SELECT count(*) FROM messages WHERE event = 'question_answered'`),
      restart_wakes: count(`SELECT count(*) FROM messages WHERE event = 'restarted'`),
    };
  }

  async end(): Promise<void> {
    await this.killBroker();
    this.gateway.forget();
    rmSync(this.dir, { recursive: true });
  }

  /** Ends the broker without carrying out or answering anything more. */
  private async killBroker(): Promise<void> {
    this.incarnation.end();
    this.broker.app.get(Writer).abandon();
    await this.broker.close();
    this.db.close();
  }

  private crashHere(at: 'beforeCommit' | 'afterCommit'): void {
    if (this.crashAt !== at) return;
    this.crashed = true;
    throw new Error('crash');
  }
}

/** The clock as one process sees it: its alarms end with it. */
class ProcessClock implements Clock {
  private ended = false;

  constructor(private readonly clock: Clock) {}

  now(): number {
    return this.clock.now();
  }

  monotonic(): number {
    return this.clock.monotonic();
  }

  after(ms: number, run: () => void): () => void {
    return this.clock.after(ms, () => {
      if (!this.ended) run();
    });
  }

  end(): void {
    this.ended = true;
  }
}

/** Requests that may be repeated at any later time (I7). */
const REPLAYED = new Set([
  'send',
  'recv',
  'end_turn',
  'hello',
  'ack',
  'answers_written',
  'wake',
  'ask',
  'answer',
  'cancel_ask',
  'remind',
  'cancel_reminder',
  'jobs_added',
]);

/** Hash of an agent's long-lived token. */
export function agentToken(agent: string): string {
  return Buffer.from(`token of ${agent}`).toString('hex').padEnd(64, '0').slice(0, 64);
}
