import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { vi } from 'vitest';

import type { Container } from '#libs/protocol';
import { systemClock } from '#libs/service';

import { parseAgentConfig } from '../agent-config/agent-config.parser.js';
import type { Agent } from '../agents/agent.entity.js';
import type {
  ContainerDriver,
  ContainerOwner,
  ContainerProgram,
  RunningContainer,
} from '../containers/container-driver.js';
import { chooseDriver } from '../containers/container-drivers.js';
import { AgentFolders } from '../folders/agent-folders.service.js';
import { harnessConfig, harnessProgram } from '../lifecycle/harness-launch.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import type { AgentPaths } from '../settings/hive-home.js';
import { isRoot, UID_BASE } from './c0re.fixture.js';
import { readableByAll } from './readable-copy.js';

/** Drivers that run for real on the machine that the tests are for. */
export const REAL_DRIVERS: readonly Container[] = isRoot
  ? ['process', 'nspawn', 'bubblewrap', 'podman']
  : ['process', 'bubblewrap'];
/** The machine may be busy. */
export const PATIENT = { timeout: 20_000 };
export const BOUNDS = { termMs: 5000, leftoversMs: 300, killMs: 10_000 };

/** An agent's container on the bench. */
export interface BenchAgent {
  agent: Agent;
  owner: ContainerOwner;
  paths: AgentPaths;
  program: ContainerProgram;
  running?: RunningContainer;
}

/** One driver with the folders of a hive and agents whose program is a shell script; everything else is c0re's own. */
export class DriverBench {
  readonly root: string;
  readonly settings: C0reSettings;
  /** A folder outside of /usr that the operator made reachable. */
  readonly tools: string;
  private readonly folders: AgentFolders;
  private readonly agents: BenchAgent[] = [];
  private drivers: ContainerDriver[] = [];

  private constructor(private readonly name: Container) {
    this.root = mkdtempSync(path.join(tmpdir(), 'driver-'));
    chmodSync(this.root, 0o755);
    this.tools = path.join(this.root, 'tools');
    mkdirSync(this.tools);
    writeFileSync(path.join(this.tools, 'tool'), 'a tool');
    const harness = path.join(this.root, 'harness.mjs');
    writeFileSync(harness, '');
    this.settings = new C0reSettings(
      {
        HIVE_HOME: path.join(this.root, 'home'),
        HIVE_RUNTIME_DIR: path.join(this.root, 'run'),
        HIVE_DB_DIR: path.join(this.root, 'db'),
        HIVE_GATEWAY_URL: 'http://127.0.0.1:7001',
        HIVE_LOG_LEVEL: 'fatal',
        HIVE_REV: 'test',
        HIVE_HARNESS_MAIN: harness,
        HIVE_REACHABLE: this.tools,
        ...(isRoot ? { HIVE_UID_BASE: UID_BASE } : {}),
      },
      isRoot,
      { nodePath: readableByAll(process.execPath, this.root) },
    );
    this.folders = new AgentFolders(this.settings);
    this.folders.prepareHome();
    writeFileSync(path.join(this.settings.home.docs, 'guide.md'), 'the guide');
  }

  static async open(name: Container): Promise<DriverBench> {
    const bench = new DriverBench(name);
    await bench.newDriver();
    return bench;
  }

  /** The driver in use: the newest. */
  get driver(): ContainerDriver {
    return this.drivers.at(-1) as ContainerDriver;
  }

  /** Another instance on the same hive, as after a restart of c0re. */
  async newDriver(): Promise<ContainerDriver> {
    const { driver } = await chooseDriver(this.name, {
      hiveId: path.basename(this.root).replaceAll(/[^A-Za-z0-9]/g, ''),
      clock: systemClock,
      adoptedPollMs: 20,
      separateUsers: isRoot,
      trialUser: this.settings.trialUser,
      folder: this.settings.home.containers,
      flake: undefined,
    });
    this.drivers.push(driver);
    return driver;
  }

  /** An agent with its folders and files. Its container runs the script with c0re's environment and mounts. */
  async agent(name: string, script: string, config: object = {}): Promise<BenchAgent> {
    const id = this.agents.length + 1;
    const agent = {
      id,
      name,
      role: 'agent',
      instance: 1,
      config: parseAgentConfig({ driver: 'command', command: ['idle'], ...config }).config,
    } as unknown as Agent;
    const owner = { agentId: id, name, user: this.settings.agentUser(id) };
    const paths = this.folders.prepare(name, owner.user);
    this.folders.writeToken(paths, `token-of-${name}`, owner.user);
    this.folders.writeHarnessConfig(
      paths,
      harnessConfig(agent, { env: { SECRET: `secret-of-${name}` }, mcp_servers: {} }),
      owner.user,
    );
    mkdirSync(paths.applied, { recursive: true });
    writeFileSync(path.join(paths.applied, 'agent.yaml'), 'role: agent\n');
    const program = harnessProgram(this.settings, agent, paths, this.driver);
    const made = {
      agent,
      owner,
      paths,
      program: { ...program, argv: ['/bin/sh', '-c', script] as const },
    };
    this.agents.push(made);
    await this.driver.create(owner);
    return made;
  }

  async start(agent: BenchAgent): Promise<RunningContainer> {
    agent.running = await this.driver.start(agent.owner, agent.program);
    return agent.running;
  }

  /** Makes and starts an agent. */
  async run(name: string, script: string, config: object = {}): Promise<BenchAgent> {
    const agent = await this.agent(name, script, config);
    await this.start(agent);
    return agent;
  }

  /** What the agent wrote into a file of its state folder; undefined until it did. */
  noted({ paths }: BenchAgent, file: string): string | undefined {
    try {
      const text = readFileSync(path.join(paths.state, file), 'utf8');
      return text.endsWith('\n') ? text.trimEnd() : undefined;
    } catch {
      return undefined;
    }
  }

  /** Waits for the note, which is not empty. */
  async note(agent: BenchAgent, file: string): Promise<string> {
    return vi.waitUntil(() => this.noted(agent, file), PATIENT);
  }

  async close(): Promise<void> {
    for (const { owner, running } of this.agents) {
      await this.driver.stop(owner, running, { ...BOUNDS, termMs: 0 });
      await this.driver.destroy(owner);
    }
    rmSync(this.root, { recursive: true, force: true });
  }
}
