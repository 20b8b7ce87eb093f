import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';

import { registryDigest, RpcServer, socketPath } from '#libs/ipc';
import {
  HiveError,
  type ApprovalRow,
  type BrokerC0reApi,
  type Identity,
  type NewHiveEvent,
  type RegistryAgent,
} from '#libs/protocol';

/** The broker's end of broker-c0re.sock as P26 describes it: a copy of the registry that only takes changes in order. */
export class FakeBroker {
  readonly calls: string[] = [];
  readonly agents = new Map<string, RegistryAgent>();
  readonly ended: { agent_id: string; instance: number }[] = [];
  readonly events: NewHiveEvent[] = [];
  readonly news: BrokerC0reApi['tell_manager'][0][] = [];
  waiting: ApprovalRow[] = [];
  /** Live runs by the hash of their token. */
  readonly runs = new Map<string, Identity>();
  readonly purged: string[] = [];
  signs: BrokerC0reApi['agent_signs'][1] = { watched_ms: 0, agents: [] };
  readonly windows = new Map<string, { agents: string[]; text: string }>();
  /** Whether agents stay in their restart window, as without a hello of theirs. */
  keepsWindows = false;
  revision = 0;
  /** How often c0re compared the copies. */
  compared = 0;
  /** Called when c0re tells that a harness is gone. */
  onEnded: () => void = () => {};
  private server: RpcServer<BrokerC0reApi> | undefined;

  constructor(private readonly runtimeDir: string) {}

  async listen(): Promise<void> {
    const file = socketPath(this.runtimeDir, 'broker', 'c0re');
    mkdirSync(path.dirname(file), { recursive: true });
    chmodSync(path.dirname(file), 0o700);
    this.server = new RpcServer<BrokerC0reApi>({
      path: file,
      onBug: (error) => {
        throw error;
      },
      handlers: {
        put_registry: ({ revision, agents }) => {
          this.calls.push('put_registry');
          this.agents.clear();
          for (const agent of agents) this.agents.set(agent.agent_id, agent);
          this.revision = revision;
          return { revision };
        },
        put_agent: ({ revision, agent }) => {
          this.calls.push(`put_agent ${agent.name} ${agent.state}`);
          if (revision !== this.revision + 1) {
            throw new HiveError(
              'conflict',
              `revision ${revision} does not follow ${this.revision}`,
            );
          }
          this.agents.set(agent.agent_id, agent);
          this.revision = revision;
          return { revision };
        },
        registry_revision: () => {
          this.compared += 1;
          return { revision: this.revision, digest: registryDigest([...this.agents.values()]) };
        },
        open_restart_window: ({ operation, agents, text }) => {
          this.calls.push(`open ${operation}`);
          this.windows.set(operation, { agents: [...agents], text: text ?? '' });
          return { until: '', agents };
        },
        restart_window: ({ operation }) => ({
          agents: this.keepsWindows ? (this.windows.get(operation)?.agents ?? []) : [],
        }),
        close_restart_window: ({ operation }) => {
          this.calls.push(`close ${operation}`);
          return { closed: this.windows.delete(operation) ? 1 : 0 };
        },
        purge_agent: ({ agent_id }) => {
          this.purged.push(agent_id);
          return { dead: 0 };
        },
        instance_ended: (end) => {
          this.calls.push(`instance_ended ${end.instance}`);
          this.ended.push(end);
          this.onEnded();
          return { returned: 0 };
        },
        tell_manager: (news) => {
          this.news.push(news);
          return { id: `m${this.news.length}` };
        },
        put_waiting: ({ approvals }) => {
          this.waiting = approvals;
          return { waiting: approvals.length };
        },
        agent_signs: () => this.signs,
        identify: ({ credential }) => {
          const identity = this.runs.get(credential);
          if (!identity) throw new HiveError('unauthorized', 'no such run');
          return identity;
        },
        publish: ({ events }) => {
          this.events.push(...events);
          return { published: events.length };
        },
      },
    });
    await this.server.listen();
  }

  /** States of an operation in the order in which they were published. */
  statesOf(operation: string): string[] {
    return this.events.flatMap((event) =>
      event.kind === 'operation_changed' && event.operation.id === operation
        ? [event.operation.state]
        : [],
    );
  }

  async close(): Promise<void> {
    await this.server?.close();
    this.server = undefined;
  }
}
