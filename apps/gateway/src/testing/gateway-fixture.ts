import path from 'node:path';

import { createLogger, ManualClock, systemClock, type Clock } from '#libs/service';

import { startGateway, type RunningGateway } from '../gateway.app.js';
import { GatewayOptions } from '../gateway.options.js';
import { TestClient } from './mcp-client.js';
import { ScriptedBroker } from './scripted-broker.js';
import { ScriptedC0re } from './scripted-c0re.js';
import { tempFolder } from './temp-folder.js';

export interface FixtureOptions {
  clock?: Clock;
  toolPatienceMs?: number;
  harnessPatienceMs?: number;
  idleSessionMs?: number;
}

/** A gateway in this process in front of a scripted broker. */
export class GatewayFixture {
  private readonly clients: TestClient[] = [];

  private constructor(
    readonly folder: string,
    readonly broker: ScriptedBroker,
    readonly c0re: ScriptedC0re,
    readonly gateway: RunningGateway,
    private readonly removeFolder: () => void,
  ) {}

  static async start(options: FixtureOptions = {}): Promise<GatewayFixture> {
    const folder = tempFolder();
    const socket = path.join(folder.path, 'b.sock');
    const broker = new ScriptedBroker(socket);
    await broker.start();
    const c0re = new ScriptedC0re(path.join(folder.path, 'c.sock'));
    await c0re.start();
    const gateway = await startGateway(
      new GatewayOptions({
        clock: options.clock ?? systemClock,
        logger: createLogger('gateway', 'silent'),
        brokerSocket: socket,
        c0reSocket: path.join(folder.path, 'c.sock'),
        host: '127.0.0.1',
        port: 0,
        hiveRev: 'test',
        ...options,
      }),
    );
    return new GatewayFixture(folder.path, broker, c0re, gateway, folder.remove);
  }

  get url(): string {
    return `http://127.0.0.1:${this.gateway.port}`;
  }

  async connect(token: string): Promise<TestClient> {
    const client = await TestClient.connect(this.url, token);
    this.clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.clients.map((client) => client.close()));
    await this.gateway.stop();
    await this.broker.stop();
    await this.c0re.stop();
    this.removeFolder();
  }
}

export { ManualClock };
