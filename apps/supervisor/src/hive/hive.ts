import type { C0reHealth } from '#libs/protocol';
import type { Clock } from '#libs/service';

import type { HiveUsers } from '../home/hive-users.js';
import {
  linkSockets,
  makeRuntimeFolder,
  removeRuntimeFolder,
  type RuntimeFolder,
} from '../home/runtime-folder.js';
import { runOnce, type OneShot } from '../processes/one-shot.process.js';
import {
  ServiceFailedError,
  ServiceProcess,
  type ServicePlan,
} from '../processes/service.process.js';
import { withoutCredentials } from '../redis/redis-ping.js';
import { newPasswords } from '../redis/redis.accounts.js';
import { redisPlan } from '../redis/redis.plan.js';
import { localUrl } from '../settings/supervisor.settings.js';
import { readyBlock } from '../terminal/ready-block.js';
import { seconds, type Terminal } from '../terminal/terminal.js';
import { endAgentLeftovers, killAgents } from './agent-leftovers.js';
import { C0reAdmin } from './agents.js';
import { HiveFileWriter } from './hive-file.js';
import { InsistentWriter } from './insistent-writer.js';
import type { PreparedHive } from './prepare.js';
import { ProcessLedger } from './process-ledger.js';
import { ServiceLogs } from './service-logs.js';
import { demoPlan, servicePlans, type HiveLayout } from './service-plans.js';

/** The order in which services end; agents go first (INTERFACES "Commands"). */
const STOP_ORDER = ['gateway', 'scheduler', 'dashboard', 'broker', 'c0re', 'redis'];

/** The hive as a whole: starts everything in order, keeps it running, and ends it in order. */
export class Hive {
  private readonly services = new Map<string, ServiceProcess>();
  private readonly hiveFile: HiveFileWriter;
  private readonly ledger: ProcessLedger;
  private readonly logs: ServiceLogs;
  private readonly hiveFileWrites: InsistentWriter;
  private readonly ledgerWrites: InsistentWriter;
  private runtime: RuntimeFolder | undefined;
  private admin: C0reAdmin | undefined;
  private demo: OneShot | undefined;
  private isStopping = false;

  constructor(
    private readonly prepared: PreparedHive,
    private readonly clock: Clock,
    private readonly terminal: Terminal,
    /** When the operator asked for it, in milliseconds of the wall clock. */
    private readonly askedAt: number,
  ) {
    this.hiveFile = new HiveFileWriter(prepared.home);
    this.ledger = new ProcessLedger(prepared.home);
    this.logs = new ServiceLogs(prepared.home, clock, terminal);
    const onTrouble = (error: Error) =>
      terminal.problem(`the state of the hive cannot be written, trying again: ${error.message}`);
    this.hiveFileWrites = new InsistentWriter(clock, onTrouble);
    this.ledgerWrites = new InsistentWriter(clock, onTrouble);
  }

  /**
   * Starts everything and returns when it works, or as soon as `stop` was called.
   * @throws ServiceFailedError when a service does not come up; `stop` then ends what did.
   */
  async start(): Promise<void> {
    const { home, users } = this.prepared;
    this.hiveFile.remove();
    await this.ledger.endLeftovers((names) =>
      this.terminal.line(`waiting for what an earlier run left: ${names.join(', ')}`),
    );
    if (this.isStopping) return;
    this.runtime = makeRuntimeFolder(this.prepared.runtimePath, users);
    linkSockets(home, this.runtime.sockets);
    this.logs.note('the hive starts', { rev: this.prepared.rev, home });

    const layout = this.layoutOf(this.runtime);
    const plans = [...this.redisPlans(layout), ...servicePlans(layout)];
    for (const together of plans) {
      await Promise.all(together.map((plan) => this.startService(plan)));
      if (this.isStopping) return;
    }
    await this.announce(layout);
    if (this.prepared.settings.demo && !this.isStopping) this.startDemo(layout);
  }

  /** Ends agents, services and Redis in order and leaves nothing behind. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.hiveFile.remove();
    if (this.services.size > 0) this.terminal.line('stopping');
    this.demo?.stop();
    await this.stopAgents();
    await this.demo?.done;
    for (const name of STOP_ORDER) {
      const service = this.services.get(name);
      if (!service || service.state === 'stopped') continue;
      await service.stop();
      this.logs.note(`${name} is stopped`);
    }
    await this.endLeftovers();
    this.logs.note('the hive is stopped');
    this.cleanUp();
  }

  /** SIGKILL for everything that is left, at once. */
  forceStop(): void {
    for (const service of this.services.values()) service.forceStop();
    killAgents(this.prepared.home);
    this.cleanUp();
  }

  private async startService(plan: ServicePlan): Promise<void> {
    if (this.isStopping) return;
    const began = this.clock.monotonic();
    try {
      await this.supervise(plan).start();
    } catch (error) {
      if (this.isStopping) return;
      throw error;
    }
    if (this.isStopping) return;
    const took = seconds(this.clock.monotonic() - began);
    this.terminal.line(`  ${plan.name.padEnd(10)} ready after ${took}`);
  }

  private supervise(plan: ServicePlan): ServiceProcess {
    const service = new ServiceProcess(plan, this.clock, this.prepared.setpriv, {
      onSpawn: (_service, pid) => this.onSpawn(plan.name, pid),
      onChange: () => this.onChange(service),
      onDeath: (_service, how, pauseMs) => this.onDeath(service, how, pauseMs),
      onOutput: (_service, stream, chunk) => this.logs.take(plan.name, stream, chunk),
    });
    this.services.set(plan.name, service);
    return service;
  }

  private onSpawn(name: string, pid: number): void {
    this.ledger.add(name, pid);
    this.ledgerWrites.write(() => this.ledger.write());
  }

  private onChange(service: ServiceProcess): void {
    if (service.state === 'running' && service.restarts > 0) {
      this.terminal.line(`${service.name} is back (process ${service.pid})`);
      this.logs.note(`${service.name} is back`, { pid: service.pid });
    }
    this.hiveFileWrites.write(() => this.hiveFile.refresh([...this.services.values()]));
  }

  private onDeath(service: ServiceProcess, how: string, pauseMs: number): void {
    this.terminal.problem(
      `${service.name} ended (${how}); it is started again in ${seconds(pauseMs)}. Log: ${this.logs.pathOf(service.name)}`,
    );
    this.logs.note(`${service.name} ended`, { how, pause_ms: pauseMs });
  }

  private redisPlans(layout: HiveLayout): ServicePlan[][] {
    const { redisServer, home, users } = this.prepared;
    if (redisServer === undefined || !layout.privateRedis) return [];
    const { runtime } = layout;
    const { passwords } = layout.privateRedis;
    return [[redisPlan({ program: redisServer, home, runtime, users, passwords })]];
  }

  private layoutOf(runtime: RuntimeFolder): HiveLayout {
    const { settings, dist, home, users, rev, redisServer } = this.prepared;
    const privateRedis = redisServer === undefined ? undefined : { passwords: newPasswords() };
    return { settings, dist, home, runtime, users, rev, privateRedis };
  }

  private async announce({ settings, home, runtime, users }: HiveLayout): Promise<void> {
    this.admin = new C0reAdmin(runtime.sockets['c0re-admin'] ?? '');
    const [health, token] = await Promise.all([this.admin.health(), this.admin.loginToken()]);
    if (this.isStopping) return;
    const dashboardUrl = localUrl(settings.dashboard);
    const gatewayUrl = localUrl(settings.gateway);
    this.hiveFile.publish(
      {
        ready_at: new Date(this.clock.now()).toISOString(),
        hive_rev: this.prepared.rev,
        dashboard_url: dashboardUrl,
        gateway_url: gatewayUrl,
        redis_url: withoutCredentials(settings.redisUrl ?? `unix://${runtime.sockets['redis']}`),
        sockets: runtime.sockets,
        supervisor_pid: process.pid,
      },
      [...this.services.values()],
    );
    this.terminal.line(
      readyBlock({
        tookMs: this.clock.now() - this.askedAt,
        loginUrl: `${dashboardUrl}/login?token=${token}`,
        gatewayUrl,
        home,
        driver: health.container_driver ?? settings.containerDriver ?? 'process',
        redis:
          settings.redisUrl === undefined
            ? 'private, on a unix socket'
            : withoutCredentials(settings.redisUrl),
        protectionsOff: protectionsOff(health, users),
        demo: settings.demo,
      }),
    );
  }

  /** The demo makes its agents and ends; whatever becomes of it, the hive goes on. */
  private startDemo(layout: HiveLayout): void {
    const demo = runOnce(demoPlan(layout), this.prepared.setpriv, (stream, chunk) =>
      this.logs.take('demo', stream, chunk),
    );
    this.demo = demo;
    void demo.done.then((how) => {
      if (how === undefined || this.isStopping) return undefined;
      return this.terminal.problem(`the demo failed (${how}). Log: ${this.logs.pathOf('demo')}`);
    });
  }

  private async stopAgents(): Promise<void> {
    const c0re = this.services.get('c0re');
    if (!c0re || c0re.state === 'stopped' || !this.runtime) return;
    try {
      // Agents outlive a c0re that died (P28): only a new one can end them properly.
      if (c0re.state === 'restarting') await c0re.start();
      if (c0re.state !== 'running') return;
      const admin = this.admin ?? new C0reAdmin(this.runtime.sockets['c0re-admin'] ?? '');
      this.admin = admin;
      await admin.stopAgents();
    } catch (error) {
      this.terminal.problem(`c0re could not stop the agents: ${(error as Error).message}`);
    }
  }

  private async endLeftovers(): Promise<void> {
    if (this.services.size === 0) return;
    const ended = await endAgentLeftovers(this.prepared.home);
    if (ended > 0) this.terminal.problem(`${ended} processes of agents were left; they were ended`);
  }

  private cleanUp(): void {
    this.admin?.close();
    this.hiveFileWrites.stop();
    this.ledgerWrites.stop();
    this.hiveFile.remove();
    if (this.services.size > 0) this.ledger.remove();
    if (this.runtime) removeRuntimeFolder(this.prepared.home, this.runtime);
    this.logs.close();
    this.prepared.lock.release();
  }
}

const SINGLE_USER =
  'started as an ordinary user, agents can read each other’s tokens and the databases';
const SHARED_USERS =
  'another hive that runs here has the same user ids: agents of the two can read each other’s files';

/** The refusal of a service as the operator reads it. */
export function explainFailure(error: ServiceFailedError, home: string): string {
  return `${error.service} cannot start: ${error.message}\nIts log: ${home}/logs/${error.service}.log`;
}

/** What c0re knows to be off on this machine, and what the supervisor knows. */
function protectionsOff(health: C0reHealth, users: HiveUsers): readonly string[] {
  const known = health.protections_off ?? (users.base === undefined ? [SINGLE_USER] : []);
  return users.isShared ? [...known, SHARED_USERS] : known;
}
