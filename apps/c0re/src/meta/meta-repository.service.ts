import { chmodSync, existsSync, lchownSync, mkdirSync } from 'node:fs';
import path from 'node:path';

import { Inject, Injectable } from '@nestjs/common';

import { HiveError, isoTime, type MetaInput, type MetaLogEntry } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { AgentRepository } from '../agents/agent.repository.js';
import { git, GitError, gitText, type GitCall } from '../git/git.js';
import { importCommit } from '../repositories/import-commit.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import { CLOCK } from '../settings/tokens.js';

const MAIN = 'refs/heads/main';
const INPUTS = 'inputs.json';
/** Input that stands for the hive's own program. */
const HIVE = 'hyperhive';
const HIVE_URL = 'the program that runs this hive';
const LOG_LINES = 100;

interface StoredInput {
  url: string;
  rev: string;
  updated_at: string;
}

/** An agent's place in the deployed state. */
export interface DeployedAgent {
  name: string;
  sha: string;
  tag: string;
}

/**
 * The meta repository: the deployed state of the whole swarm (PRODUCT 4.5), `agents/<name>.json` per agent and
 * `inputs.json`. A deploy is prepared as a commit that no branch holds, and becomes `main` when the agent runs it; so its
 * log lists successful deploys only.
 */
@Injectable()
export class MetaRepository {
  private tail: Promise<unknown> = Promise.resolve();
  /** What was read since the last change. */
  private read: { inputs?: Record<string, StoredInput>; log?: MetaLogEntry[] } = {};

  constructor(
    private readonly settings: C0reSettings,
    private readonly agents: AgentRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Makes the repository when there is none. */
  async prepare(): Promise<void> {
    await this.alone(async () => {
      const { gitUser } = this.settings;
      if (existsSync(path.join(this.gitDir, 'HEAD'))) return;
      mkdirSync(this.gitDir, { recursive: true });
      chmodSync(this.settings.home.meta, 0o755);
      if (gitUser !== undefined) lchownSync(this.gitDir, 0, gitUser);
      chmodSync(this.gitDir, gitUser === undefined ? 0o755 : 0o775);
      const { as } = this.repository;
      await git({ as }, 'init', '--quiet', '--template=', '--bare', this.gitDir);
    });
  }

  /**
   * The deployed state with this agent's new commit, as a commit that nothing shows yet. Later deploys of others do not
   * get lost: it is made anew when it becomes the state.
   */
  async prepareDeploy(deployed: DeployedAgent, operation: string): Promise<void> {
    await this.alone(() => this.commit(`refs/hive/${operation}`, deployed));
  }

  /** The agent runs it: the prepared state is the state. Done twice it changes nothing. */
  async finishDeploy(deployed: DeployedAgent, operation: string): Promise<void> {
    await this.alone(async () => {
      const ref = `refs/hive/${operation}`;
      const before = await this.text(`agents/${deployed.name}.json`);
      if (before !== agentFile(deployed)) {
        const commit = await this.commit(ref, deployed);
        await git(this.repository, 'update-ref', MAIN, commit);
      }
      await this.drop(ref);
    });
  }

  /** The deploy failed: nothing of it is left. */
  async abortDeploy(operation: string): Promise<void> {
    await this.alone(() => this.drop(`refs/hive/${operation}`));
  }

  async inputs(): Promise<MetaInput[]> {
    this.read.inputs ??= await this.storedInputs();
    return Object.entries(this.read.inputs).map(([name, { url, rev, updated_at }]) => ({
      name,
      url,
      rev,
      newest: name === HIVE ? this.settings.rev : null,
      updated_at,
    }));
  }

  /** Throws `not_found` that names the first input that does not exist. */
  async checkInputs(names: readonly string[]): Promise<void> {
    const known = Object.keys(await this.storedInputs());
    const unknown = names.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw new HiveError(
        'not_found',
        `there is no input ${JSON.stringify(unknown)}; the inputs are: ${known.join(', ')}`,
      );
    }
  }

  /** Brings these inputs (none: all) to their newest. Returns the names of those that changed. */
  async updateInputs(names: readonly string[]): Promise<string[]> {
    return this.alone(async () => {
      const stored = await this.storedInputs();
      const hive = stored[HIVE];
      const isAsked = names.length === 0 || names.includes(HIVE);
      const head = await this.head();
      if (!isAsked || (head !== undefined && hive?.rev === this.settings.rev)) return [];
      const fresh = { ...stored, [HIVE]: this.hiveInput() };
      const files = { ...(await this.filesAt(head)), [INPUTS]: inputsFile(fresh) };
      const commit = await importCommit(this.repository, {
        ref: 'refs/hive/inputs',
        message: `inputs: ${HIVE} ${this.settings.rev}\n`,
        files,
        at: this.seconds(),
        ...(head === undefined ? {} : { parent: head }),
      });
      await git(this.repository, 'update-ref', MAIN, commit);
      await this.drop('refs/hive/inputs');
      return [HIVE];
    });
  }

  /** The newest entries of the log. */
  async log(): Promise<MetaLogEntry[]> {
    this.read.log ??= await this.readLog();
    return this.read.log;
  }

  private async readLog(): Promise<MetaLogEntry[]> {
    if ((await this.head()) === undefined) return [];
    const text = await gitText(
      this.repository,
      'log',
      `--max-count=${LOG_LINES}`,
      '--format=%H%x00%ct%x00%s',
      MAIN,
    );
    return text.split('\n').flatMap((line) => {
      const [sha, at, message] = line.split('\0');
      if (sha === undefined || at === undefined) return [];
      return { sha, at: isoTime(Number(at) * 1000), message: message ?? '' };
    });
  }

  private async commit(ref: string, deployed: DeployedAgent): Promise<string> {
    const head = await this.head();
    const living = new Set(this.agents.living().map(({ name }) => name));
    const before = Object.entries(await this.filesAt(head)).filter(([file]) => {
      const agent = /^agents\/(.+)\.json$/.exec(file)?.[1];
      return agent === undefined || living.has(agent);
    });
    const files = {
      [INPUTS]: inputsFile(await this.storedInputs()),
      ...Object.fromEntries(before),
      [`agents/${deployed.name}.json`]: agentFile(deployed),
    };
    return importCommit(this.repository, {
      ref,
      message: `deploy ${deployed.name} ${deployed.tag} ${deployed.sha.slice(0, 12)}\n`,
      files,
      at: this.seconds(),
      ...(head === undefined ? {} : { parent: head }),
    });
  }

  private async storedInputs(): Promise<Record<string, StoredInput>> {
    const text = await this.text(INPUTS);
    if (text === undefined) return { [HIVE]: this.hiveInput() };
    return JSON.parse(text) as Record<string, StoredInput>;
  }

  private hiveInput(): StoredInput {
    return { url: HIVE_URL, rev: this.settings.rev, updated_at: isoTime(this.clock.now()) };
  }

  private async filesAt(commit: string | undefined): Promise<Record<string, string>> {
    if (commit === undefined) return {};
    const names = await gitText(this.repository, 'ls-tree', '-r', '--name-only', commit);
    const files: Record<string, string> = {};
    for (const name of names.split('\n').filter(Boolean)) {
      files[name] = (
        await git(this.repository, 'cat-file', 'blob', `${commit}:${name}`)
      ).toString();
    }
    return files;
  }

  private async text(file: string): Promise<string | undefined> {
    try {
      return (await git(this.repository, 'cat-file', 'blob', `${MAIN}:${file}`)).toString();
    } catch (error) {
      if (error instanceof GitError) return undefined;
      throw error;
    }
  }

  private async head(): Promise<string | undefined> {
    return gitText(this.repository, 'rev-parse', '--verify', '--quiet', MAIN).catch(
      () => undefined,
    );
  }

  private async drop(ref: string): Promise<void> {
    await git({ ...this.repository, input: `delete ${ref}\n` }, 'update-ref', '--stdin').catch(
      (error: unknown) => {
        if (!(error instanceof GitError)) throw error; // It was not there.
      },
    );
  }

  /** Changes of the repository come one after the other. */
  private async alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.tail.then(work, work).finally(() => {
      this.read = {};
    });
    this.tail = mine.catch(() => {});
    return mine;
  }

  private seconds(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  private get repository(): GitCall {
    const { gitUser } = this.settings;
    return { gitDir: this.gitDir, as: gitUser === undefined ? undefined : { uid: gitUser } };
  }

  private get gitDir(): string {
    return path.join(this.settings.home.meta, '.git');
  }
}

function agentFile({ name, sha, tag }: DeployedAgent): string {
  return `${JSON.stringify({ agent: name, commit: sha, tag }, null, 2)}\n`;
}

function inputsFile(inputs: Record<string, StoredInput>): string {
  return `${JSON.stringify(inputs, null, 2)}\n`;
}
