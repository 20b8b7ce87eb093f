import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Redis } from 'ioredis';

import { RpcClient, SOCKETS, socketPath } from '#libs/ipc';
import type { BrokerC0reApi } from '#libs/protocol';

import { toRegistry, type BenchAgent } from './bench-agents.js';
import { BenchProcess, ROOT } from './child-process.js';
import { DELAY_FILE } from './loop-delay.js';

export interface HiveOptions {
  agents: readonly BenchAgent[];
  /** Lets turns start at any rate: a hive holds them back, because each is a model at work. */
  manyTurns?: boolean;
  gateway?: boolean;
  scheduler?: boolean;
  /** Fills the folder of the databases before the broker starts. */
  prepare?: (dbDir: string) => void;
  /** Node options of the gateway: `--inspect` where its heap is measured. */
  gatewayArgs?: readonly string[];
}

/** Real processes of a hive, in a folder of their own: Redis, the broker and, where asked for, the gateway. */
export class HiveUnderTest {
  readonly dir = mkdtempSync(path.join(tmpdir(), 'hb-'));
  readonly runtimeDir = path.join(this.dir, 'r');
  gatewayUrl = '';
  private readonly running = new Map<string, BenchProcess>();

  private constructor(private readonly options: HiveOptions) {}

  static async start(options: HiveOptions): Promise<HiveUnderTest> {
    const hive = new HiveUnderTest(options);
    try {
      await hive.startAll();
    } catch (error) {
      await hive.stop();
      throw error;
    }
    return hive;
  }

  get redisUrl(): string {
    return `unix://${path.join(this.dir, 'redis.sock')}`;
  }

  get brokerSocket(): string {
    return socketPath(this.runtimeDir, 'broker', 'gateway');
  }

  pid(service: 'redis' | 'broker' | 'gateway'): number {
    return this.running.get(service)?.pid ?? 0;
  }

  /** Where a broker that was started with `manyTurns` tells of its event loop. */
  get loopDelayFile(): string {
    return path.join(this.dir, 'db', DELAY_FILE);
  }

  log(service: string): string {
    return path.join(this.dir, `${service}.log`);
  }

  async stop(): Promise<void> {
    for (const service of [...this.running.values()].toReversed()) await service.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  private async startAll(): Promise<void> {
    for (const { server, peer } of SOCKETS)
      mkdirSync(path.dirname(socketPath(this.runtimeDir, server, peer)), { recursive: true });
    this.running.set('redis', await startRedis(this.dir));
    const dbDir = path.join(this.dir, 'db');
    mkdirSync(dbDir);
    this.options.prepare?.(dbDir);
    const broker = this.options.manyTurns ? 'bench/broker-of-many-turns.js' : mainOf('broker');
    await this.startService('broker', broker, {
      HIVE_DB_DIR: dbDir,
      HIVE_REDIS_URL: this.redisUrl,
    });
    await this.pushRegistry();
    if (this.options.scheduler)
      await this.startService('scheduler', mainOf('scheduler'), { HIVE_REDIS_URL: this.redisUrl });
    if (this.options.gateway) {
      const port = await freePort();
      this.gatewayUrl = `http://127.0.0.1:${port}`;
      const env = { HIVE_GATEWAY_HOST: '127.0.0.1', HIVE_GATEWAY_PORT: String(port) };
      await this.startService('gateway', mainOf('gateway'), env, this.options.gatewayArgs);
    }
  }

  private async startService(
    name: 'broker' | 'gateway' | 'scheduler',
    program: string,
    env: Record<string, string>,
    nodeArgs: readonly string[] = [],
  ): Promise<void> {
    const service = await BenchProcess.start({
      name,
      argv: [
        process.execPath,
        '--enable-source-maps',
        ...nodeArgs,
        path.join(ROOT, 'dist', program),
      ],
      env: {
        HIVE_HOME: this.dir,
        HIVE_RUNTIME_DIR: this.runtimeDir,
        HIVE_LOG_LEVEL: 'warn',
        HIVE_REV: 'bench',
        ...env,
      },
      log: this.log(name),
    });
    this.running.set(name, service);
  }

  /** Tells the broker of the agents, as c0re does. */
  private async pushRegistry(): Promise<void> {
    const agents = toRegistry(this.options.agents, (agent) => {
      const dir = path.join(this.dir, 'a', agent.name);
      mkdirSync(dir, { recursive: true });
      return dir;
    });
    const c0re = new RpcClient<BrokerC0reApi>({
      path: socketPath(this.runtimeDir, 'broker', 'c0re'),
    });
    c0re.start();
    await c0re.call('put_registry', { revision: 1, agents });
    c0re.close();
  }
}

/** The program of a service, below dist/. */
function mainOf(service: string): string {
  return `apps/${service}/src/main.js`;
}

/** A private Redis with the settings that the hive ships. */
export async function startRedis(dir: string): Promise<BenchProcess> {
  const socket = path.join(dir, 'redis.sock');
  const settings = { port: '0', unixsocket: socket, dir, hz: '100', save: '', appendonly: 'yes' };
  return BenchProcess.start({
    name: 'redis-server',
    argv: [
      'redis-server',
      ...Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]),
    ],
    env: {},
    log: path.join(dir, 'redis.log'),
    ready: async () => {
      const probe = new Redis({
        path: socket,
        maxRetriesPerRequest: null,
        retryStrategy: () => 20,
      });
      probe.on('error', () => {});
      await probe.ping();
      probe.disconnect();
    },
  });
}

/** A TCP port that is free on loopback right now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
