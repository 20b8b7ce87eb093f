import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { RpcClient, socketPath } from '#libs/ipc';
import type { BrokerC0reApi, RegistryAgent } from '#libs/protocol';
import { createLogger, systemClock, type Clock } from '#libs/service';

import { credentialOf } from '../door/identities.service.js';
import { startGateway, type RunningGateway } from '../gateway.app.js';
import { GatewayOptions } from '../gateway.options.js';
import { TestClient } from './mcp-client.js';
import { ServiceProcess } from './service-process.js';
import { tempFolder } from './temp-folder.js';

export interface TestHiveOptions {
  /** Names of agents that exist from the start; "manager" gets the manager's role. */
  agents?: string[];
  /** Folder of the agents' run folders, default one below the temporary folder. */
  agentsFolder?: string;
  clock?: Clock;
  toolPatienceMs?: number;
  idleSessionMs?: number;
}

/** The token of an agent of a test. */
export function tokenOf(name: string): string {
  return `token-of-${name}-0123456789abcdef`;
}

/** A real broker process and, in this process or in one of its own, a gateway; the test plays c0re. */
export class TestHive {
  gateway: RunningGateway | undefined;
  gatewayProcess: ServiceProcess | undefined;
  private readonly clients: TestClient[] = [];
  private readonly registry: RpcClient<BrokerC0reApi>;
  private agents: RegistryAgent[] = [];
  private revision = 0;
  private nextAgentId = 1;

  private constructor(
    readonly folder: string,
    private readonly options: TestHiveOptions,
    private readonly removeFolder: () => void,
    public broker: ServiceProcess,
  ) {
    this.registry = new RpcClient<BrokerC0reApi>({
      path: socketPath(this.runtimeDir, 'broker', 'c0re'),
    });
    this.registry.start();
  }

  /** A broker with these agents; no gateway yet. */
  static async start(options: TestHiveOptions = {}): Promise<TestHive> {
    const folder = tempFolder();
    for (const peer of ['gateway', 'dashboard', 'scheduler', 'c0re']) {
      mkdirSync(path.join(folder.path, 'rt', `broker-${peer}`), { recursive: true });
    }
    mkdirSync(path.join(folder.path, 'db'), { recursive: true });
    const broker = await ServiceProcess.start('broker', brokerEnv(folder.path));
    const hive = new TestHive(folder.path, options, folder.remove, broker);
    hive.agents = (options.agents ?? []).map((name) => hive.newAgent(name));
    await hive.pushRegistry();
    return hive;
  }

  get runtimeDir(): string {
    return path.join(this.folder, 'rt');
  }

  /** Starts the gateway in this process. */
  async withGateway(): Promise<this> {
    this.gateway = await startGateway(
      new GatewayOptions({
        clock: this.options.clock ?? systemClock,
        logger: createLogger('gateway', 'silent'),
        brokerSocket: socketPath(this.runtimeDir, 'broker', 'gateway'),
        c0reSocket: socketPath(this.runtimeDir, 'c0re', 'gateway'),
        host: '127.0.0.1',
        port: 0,
        hiveRev: 'test',
        ...(this.options.toolPatienceMs ? { toolPatienceMs: this.options.toolPatienceMs } : {}),
        ...(this.options.idleSessionMs ? { idleSessionMs: this.options.idleSessionMs } : {}),
      }),
    );
    this.port = this.gateway.port;
    return this;
  }

  /** Starts the built gateway in a process of its own, on `port`. */
  async withGatewayProcess(
    port: number,
    { env = {}, nodeOptions = [] }: { env?: Record<string, string>; nodeOptions?: string[] } = {},
  ): Promise<this> {
    this.gatewayProcess = await ServiceProcess.start(
      'gateway',
      {
        HIVE_RUNTIME_DIR: this.runtimeDir,
        HIVE_GATEWAY_HOST: '127.0.0.1',
        HIVE_GATEWAY_PORT: String(port),
        HIVE_LOG_LEVEL: 'info',
        HIVE_REV: 'test',
        ...env,
      },
      nodeOptions,
    );
    this.port = port;
    return this;
  }

  private port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** An MCP session with a token; without one, with that of agent `name`. */
  async connect(name: string, token = tokenOf(name)): Promise<TestClient> {
    const client = await TestClient.connect(this.url, token);
    this.clients.push(client);
    return client;
  }

  /** Calls the harness API with the agent's own token, or another. */
  async harness(
    name: string,
    call: string,
    body: unknown,
    { token = tokenOf(name), signal }: { token?: string; signal?: AbortSignal } = {},
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const answer = await fetch(`${this.url}/harness/v1/${call}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal ? { signal } : {}),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  /** Puts one more agent into the registry. */
  async addAgent(name: string, change: Partial<RegistryAgent> = {}): Promise<RegistryAgent> {
    const agent = { ...this.newAgent(name), ...change };
    this.agents.push(agent);
    await this.pushRegistry();
    return agent;
  }

  async removeAgent(name: string): Promise<void> {
    this.agents = this.agents.filter((agent) => agent.name !== name);
    await this.pushRegistry();
  }

  async changeAgent(name: string, change: Partial<RegistryAgent>): Promise<void> {
    this.agents = this.agents.map((agent) =>
      agent.name === name ? { ...agent, ...change } : agent,
    );
    await this.pushRegistry();
  }

  agent(name: string): RegistryAgent {
    const agent = this.agents.find((other) => other.name === name);
    if (!agent) throw new Error(`there is no agent ${name}`);
    return agent;
  }

  async startBroker(): Promise<void> {
    this.broker = await ServiceProcess.start('broker', brokerEnv(this.folder));
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.clients.map((client) => client.close()));
    await this.gateway?.stop();
    await this.gatewayProcess?.stop();
    this.registry.close();
    await this.broker.stop();
    this.removeFolder();
  }

  private newAgent(name: string): RegistryAgent {
    const runDir = path.join(this.options.agentsFolder ?? path.join(this.folder, 'a'), name);
    mkdirSync(runDir, { recursive: true });
    const id = this.nextAgentId++;
    return {
      agent_id: String(id),
      name,
      role: name === 'manager' ? 'manager' : 'agent',
      driver: 'external',
      model: null,
      container: null,
      token_hash: credentialOf(tokenOf(name)),
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
      run_dir: runDir,
      deployed_sha: null,
    };
  }

  private async pushRegistry(): Promise<void> {
    this.revision += 1;
    await this.registry.call('put_registry', { revision: this.revision, agents: this.agents });
  }
}

function brokerEnv(folder: string): Record<string, string> {
  return {
    HIVE_HOME: folder,
    HIVE_RUNTIME_DIR: path.join(folder, 'rt'),
    HIVE_DB_DIR: path.join(folder, 'db'),
    // No Redis is there: direct messages do not need it.
    HIVE_REDIS_URL: `unix://${path.join(folder, 'none.sock')}`,
    HIVE_LOG_LEVEL: 'warn',
    HIVE_REV: 'test',
  };
}
