import path from 'node:path';

import { createLogger, ManualClock, systemClock, type Clock } from '#libs/service';

import { startGateway, type RunningGateway } from '../gateway.app.js';
import { GatewayOptions } from '../gateway.options.js';
import { TestClient } from './mcp-client.js';
import { ScriptedBroker } from './scripted-broker.js';
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
    readonly gateway: RunningGateway,
    private readonly removeFolder: () => void,
  ) {}

  static async start(options: FixtureOptions = {}): Promise<GatewayFixture> {
    const folder = tempFolder();
    const socket = path.join(folder.path, 'b.sock');
    const broker = new ScriptedBroker(socket);
    await broker.start();
    const gateway = await startGateway(
      new GatewayOptions({
        clock: options.clock ?? systemClock,
        logger: createLogger('gateway', 'silent'),
        brokerSocket: socket,
        host: '127.0.0.1',
        port: 0,
        hiveRev: 'test',
        ...options,
      }),
    );
    return new GatewayFixture(folder.path, broker, gateway, folder.remove);
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
    this.removeFolder();
  }
}

export { ManualClock };
