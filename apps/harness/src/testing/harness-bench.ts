import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { HarnessConfig } from '#libs/protocol';

import { readEnvironment, type HarnessEnvironment } from '../environment/environment.js';
import { HiveClient } from '../gateway/hive-client.js';
import { HttpDoor } from '../gateway/http-door.js';
import { createLog } from '../logging/log.js';
import { Harness } from '../loop/harness.js';
import { findMarked } from '../processes/marked-processes.js';
import { systemClock } from '../time/clock.js';
import { FakeHive } from './fake-hive.js';

/** The agent's own token in these tests. */
export const AGENT_TOKEN = 'agent-token-of-bob';

/** An agent's folders in a temporary place, and harnesses over them. */
export class HarnessBench {
  readonly log: Record<string, unknown>[] = [];
  config: HarnessConfig;
  private instance = 0;
  private readonly running: { harness: Harness; door: HttpDoor; code: Promise<number> }[] = [];

  private constructor(
    readonly folder: string,
    readonly hive: FakeHive,
  ) {
    this.config = {
      name: 'bob',
      role: 'agent',
      driver: 'command',
      command: ['sh', 'bot.sh'],
      model: null,
      system_prompt: '',
      env: {},
      mcp_servers: {},
      allowed_tools: [],
      allowed_recipients: [],
      auto_compact_watermark: 0.75,
      turn_seconds: 60,
    };
  }

  static async create(): Promise<HarnessBench> {
    const folder = mkdtempSync(path.join(tmpdir(), 'hive-harness-'));
    for (const name of ['state', 'shared', 'docs', 'config', 'home/.hive', 'run']) {
      mkdirSync(path.join(folder, name), { recursive: true });
    }
    writeFileSync(path.join(folder, 'run/token'), `${AGENT_TOKEN}\n`);
    return new HarnessBench(folder, await FakeHive.start());
  }

  /** What c0re gives the next instance in its environment. */
  environmentOf(instance = this.instance + 1): Record<string, string> {
    this.instance = instance;
    return {
      HIVE_AGENT: 'bob',
      HIVE_ROLE: 'agent',
      HIVE_GATEWAY_URL: this.hive.url,
      HIVE_TOKEN_FILE: path.join(this.folder, 'run/token'),
      HIVE_STATE_DIR: path.join(this.folder, 'state'),
      HIVE_SHARED_DIR: path.join(this.folder, 'shared'),
      HIVE_DOCS_DIR: path.join(this.folder, 'docs'),
      HIVE_CONFIG_DIR: path.join(this.folder, 'config'),
      HIVE_INSTANCE: String(instance),
      HIVE_REV: 'rev-1',
      HIVE_WORK_DIR: path.join(this.folder, 'home/.hive'),
      HIVE_HARNESS_CONFIG: path.join(this.folder, 'harness.json'),
    };
  }

  /** The program of the `command` driver. */
  program(script: string): void {
    const file = path.join(this.folder, 'config/bot.sh');
    writeFileSync(file, script);
    chmodSync(file, 0o755);
  }

  writeConfig(change: Partial<HarnessConfig> = {}): void {
    this.config = { ...this.config, ...change };
    writeFileSync(path.join(this.folder, 'harness.json'), JSON.stringify(this.config));
  }

  /** Starts a harness in this process; `code` settles with its exit code. */
  start(instance?: number): { harness: Harness; code: Promise<number> } {
    this.writeConfig();
    const environment: HarnessEnvironment = readEnvironment(this.environmentOf(instance));
    const door = new HttpDoor({
      url: environment.gatewayUrl,
      socketPath: undefined,
      tokenFile: environment.tokenFile,
    });
    const harness = new Harness({
      environment,
      env: { ...process.env, SECRET_OF_THE_HARNESS: 'must not leak' },
      client: new HiveClient(door),
      clock: systemClock,
      log: createLog({}, systemClock, 'debug', (line) => {
        this.log.push(JSON.parse(line) as Record<string, unknown>);
      }),
    });
    const code = harness.run();
    this.running.push({ harness, door, code });
    return { harness, code };
  }

  /** A file that the program wrote into the state folder. */
  read(name: string): string {
    return readFileSync(path.join(this.folder, 'state', name), 'utf8');
  }

  at(name: string): string {
    return path.join(this.folder, name);
  }

  /** Living processes that some harness of this bench started. */
  processes(): number[] {
    try {
      return findMarked(readFileSync(this.at('home/.hive/mark'), 'utf8'));
    } catch {
      return [];
    }
  }

  async stop(): Promise<void> {
    for (const { harness, door, code } of this.running) {
      harness.stop();
      await code.catch(() => {});
      door.close();
    }
    await this.hive.down();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
