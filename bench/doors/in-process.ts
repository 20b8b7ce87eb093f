import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { CallContext, RpcPeer } from '#libs/ipc';
import { createLogger } from '#libs/service';

import { openBroker, type OpenBroker } from '../../apps/broker/src/broker.js';
import { DeliveriesRepository } from '../../apps/broker/src/deliveries/deliveries.repository.js';
import { InboxCounts } from '../../apps/broker/src/deliveries/inbox-counts.js';
import { MessagesRepository } from '../../apps/broker/src/messages/messages.repository.js';
import { toRegistry, type BenchAgent } from '../bench-agents.js';
import type { BenchProcess } from '../child-process.js';
import { startRedis } from '../hive-under-test.js';
import { cheapRequestId } from '../uuid7.js';
import { RpcDoor, type BrokerCall } from './rpc.door.js';

/** Stands for the connection of a gateway that never goes away. */
const PEER = {
  isOpen: true,
  whenClosed: new Promise<void>(() => {}),
  call: () => Promise.resolve({}),
  close: () => {},
} as unknown as RpcPeer;

/** The broker in this process, below its sockets, with all its checks, its database and the relay to a real Redis. */
export class InProcessBroker {
  private constructor(
    private readonly open: OpenBroker,
    private readonly redis: BenchProcess,
    private readonly dir: string,
  ) {}

  /** `dbDir`: folder of the databases when they are there already. */
  static async start(agents: readonly BenchAgent[], dbDir?: string): Promise<InProcessBroker> {
    const dir = mkdtempSync(path.join(tmpdir(), 'hb-'));
    const redis = await startRedis(dir);
    const logger = createLogger('broker', 'warn');
    const open = await openBroker({
      dbDir: dbDir ?? dir,
      redisUrl: `unix://${path.join(dir, 'redis.sock')}`,
      logger,
    });
    const broker = new InProcessBroker(open, redis, dir);
    await open.c0re.put_registry(
      { revision: 1, agents: toRegistry(agents, () => dir) },
      broker.context(),
    );
    return broker;
  }

  /** A door to it; see RpcDoor. */
  door(explicitAcks = false): RpcDoor {
    const context = this.context();
    const call: BrokerCall = async (method, params) => this.open.gateway[method](params, context);
    return new RpcDoor(call, () => Promise.resolve(), explicitAcks);
  }

  /** Has all reminders that are due written. */
  async fireReminders(): Promise<void> {
    const job = { id: 'r1', occurrence: 1, attempt: 1 };
    await this.open.scheduler.fire_reminders({ jobs: [job] }, this.context());
  }

  /** The newest messages that wait for the agent, as the dashboard asks for them; how many came. */
  async inboxPage(agent: BenchAgent, limit: number): Promise<number> {
    const page = { agent: agent.name, limit };
    return (await this.open.dashboard.agent_inbox(page, this.context())).messages.length;
  }

  async openThreads({ credential }: BenchAgent): Promise<void> {
    await this.open.gateway.get_open_threads({ credential }, this.context());
  }

  /** A question to the operator that stays open. */
  async ask({ credential, name }: BenchAgent): Promise<void> {
    const question = { question: 'go on?', request_id: cheapRequestId(), session: name };
    await this.open.gateway.ask({ credential, ...question }, this.context());
  }

  /** One step of every walk of the retention sweep. */
  async sweepRetention(): Promise<void> {
    await this.open.scheduler.sweep_retention({}, this.context());
  }

  /** How many messages are stored. */
  messages(): number {
    return this.open.app.get(MessagesRepository).lastId();
  }

  /** The next messages for an agent, by its number, as a receipt reads them; how many there are. */
  waitingPage(agent: number, limit: number): number {
    const query = { recipient: agent, now: Date.now(), limit, attempts: Number.MAX_SAFE_INTEGER };
    const rows = this.open.app.get(DeliveriesRepository).available(query);
    const messages = this.open.app.get(MessagesRepository);
    return rows.filter((row) => messages.find(row.message) !== undefined).length;
  }

  /** How many messages wait for an agent, by its number. */
  pending(agent: number): number {
    return this.open.app.get(InboxCounts).pending(agent);
  }

  get redisUrl(): string {
    return `unix://${path.join(this.dir, 'redis.sock')}`;
  }

  async stop(): Promise<void> {
    await this.open.close();
    await this.redis.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  private context(): CallContext {
    return { peer: PEER, signal: new AbortController().signal };
  }
}
