import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { newRequestId, type CallContext } from '#libs/ipc';
import type {
  EndRequest,
  HelloRequest,
  PollRequest,
  RegistryAgent,
  TurnTelemetry,
} from '#libs/protocol';
import { createLogger, ManualClock, type Clock } from '#libs/service';

import { openBroker, type OpenBroker } from '../broker.js';
import type { BrokerOptions } from '../broker.options.js';
import { GatewayLinks } from '../links/gateway-links.js';
import { SearchEngine } from '../search/search-engine.service.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { Writer } from '../storage/writer.service.js';
import { TelemetryJournal } from '../telemetry/telemetry.journal.js';
import { FakeGateway } from './fake-gateway.js';

export interface TestBrokerOptions extends Partial<Omit<BrokerOptions, 'clock'>> {
  /** Default: a ManualClock of its own. */
  clock?: ManualClock;
}

/** A broker in this process on a test clock, with one gateway connected. */
export interface TestBroker extends OpenBroker {
  readonly dir: string;
  readonly clock: ManualClock;
  readonly link: FakeGateway;
  /** Of a call over `link`. */
  context(signal?: AbortSignal): CallContext;
  /** A new id for a repeatable request. */
  requestId(): string;
  /** Ends it as SIGKILL would: nothing more is carried out or answered, the files stay as they are. */
  crash(): void;
}

/** Opens a broker on `dbDir` (default: a new temporary folder, see `removeTestFolders`). */
export async function openTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const clock = options.clock ?? new ManualClock();
  const dir = options.dbDir ?? temporaryFolder();
  const alarms = new StoppableClock(clock);
  const broker = await openBroker({
    logger: createLogger('broker', 'silent'),
    confirmWithinMs: 0,
    ...options,
    dbDir: dir,
    clock: alarms,
  });
  const link = new FakeGateway();
  broker.app.get(GatewayLinks).seen(link.peer);
  return {
    ...broker,
    dir,
    clock,
    link,
    context: (signal) => link.context(signal),
    requestId: () => newRequestId(clock.now()),
    crash: () => {
      alarms.stop();
      broker.app.get(SearchEngine).abandon();
      broker.app.get(Writer).abandon();
      broker.app.get(TelemetryJournal).close();
      broker.app.get(ThreadsDb).close();
    },
    close: async () => {
      await broker.close();
      alarms.stop();
    },
  };
}

const folders: string[] = [];

export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'hive-broker-'));
  folders.push(folder);
  return folder;
}

/** Removes what `temporaryFolder` made; for `afterAll`. */
export function removeTestFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** The sha-256 of a token, as every call carries it. */
export function sha256(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** An agent's entry in c0re's registry: running, without quiet window. Its token is `token-<name>-<id>`. */
export function registryAgent(
  id: number,
  name: string,
  changes: Partial<RegistryAgent> = {},
): RegistryAgent {
  return {
    agent_id: String(id),
    name,
    role: name === 'manager' ? 'manager' : 'agent',
    driver: 'command',
    model: null,
    container: 'process',
    token_hash: tokenOf(id, name),
    state: 'running',
    reason: '',
    instance: 1,
    allowed_recipients: [],
    quiet_window_ms: 0,
    inbox_limit: 1000,
    sends_per_minute: 1_000_000_000,
    send_burst: 1_000_000_000,
    reminders_pending: 50,
    reminders_per_hour: 1_000_000,
    reminder_burst: 1_000_000,
    run_dir: `/agents/${name}/run`,
    deployed_sha: null,
    ...changes,
  };
}

/** Credential of the agent that `registryAgent` describes. */
export function tokenOf(id: number, name: string): string {
  return sha256(`token-${name}-${id}`);
}

export function helloRequest(instance: number, changes: Partial<HelloRequest> = {}): HelloRequest {
  return {
    instance,
    driver: 'command',
    model: null,
    hyperhive_rev: 'test',
    started_at: '2026-01-01T00:00:00.000Z',
    ends: [],
    ...changes,
  };
}

export function pollRequest(
  instance: number,
  run: string,
  changes: Partial<PollRequest> = {},
): PollRequest {
  return {
    instance,
    run_token_hash: sha256(run),
    last_turn_id: null,
    wait_seconds: 0,
    confirm: [],
    ...changes,
  };
}

export function endRequest(instance: number, changes: Partial<EndRequest> = {}): EndRequest {
  return { instance, result_kind: 'ok', shown: null, note: '', telemetry: TELEMETRY, ...changes };
}

const TELEMETRY: TurnTelemetry = {
  started_at: '2026-01-01T00:00:00.000Z',
  ended_at: '2026-01-01T00:00:01.000Z',
  duration_ms: 1000,
  model: 'test-model',
  input_tokens: 10,
  output_tokens: 5,
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
  context_tokens: 100,
  tool_call_count: 1,
  tool_call_breakdown: { send: 1 },
  bytes_streamed: 200,
  cost_usd: null,
};

/** A clock of which every alarm can be taken back at once: a crashed broker must not ring any more. */
class StoppableClock implements Clock {
  private readonly alarms = new Set<() => void>();
  private stopped = false;

  constructor(private readonly clock: ManualClock) {}

  now(): number {
    return this.clock.now();
  }

  monotonic(): number {
    return this.clock.monotonic();
  }

  after(ms: number, run: () => void): () => void {
    if (this.stopped) return () => {};
    const cancel = this.clock.after(ms, () => {
      this.alarms.delete(takeBack);
      run();
    });
    const takeBack = () => {
      this.alarms.delete(takeBack);
      cancel();
    };
    this.alarms.add(takeBack);
    return takeBack;
  }

  stop(): void {
    this.stopped = true;
    for (const takeBack of this.alarms) takeBack();
  }
}
