import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { newRequestId } from '#libs/ipc';
import type { ApprovalRow, C0reAnswers } from '#libs/protocol';

import type { C0reFixture } from './c0re.fixture.js';

/** The agent.yaml of an agent whose fake harness does that. */
export function yamlOf(command: string[], more = ''): string {
  return `driver: command\ncommand: ${JSON.stringify(command)}\n${more}`;
}

/** What the manager and the operator do with configs, on a fixture that has a manager and perhaps agents. */
export class ConfigBench {
  constructor(readonly hive: C0reFixture) {}

  /** Makes a manager and these agents. */
  async populate(...agents: string[]): Promise<void> {
    await this.hive.spawn('manager', ['idle'], { role: 'manager' });
    for (const agent of agents) await this.hive.spawn(agent);
  }

  get managerToken(): string {
    return readFileSync(this.hive.agentPath('manager', 'run', 'token'), 'utf8');
  }

  /** A request of the manager's on the gateway's socket. */
  ask<T = C0reAnswers['requested']>(what: string, body: object, token = this.managerToken) {
    return this.hive.post<T>(
      'gateway',
      `/v1/manager/${what}`,
      { request_id: newRequestId(Date.now()), ...body },
      { authorization: `Bearer ${token}` },
    );
  }

  applyCommit(agent: string, commit_ref: string, description?: string) {
    const more = description === undefined ? {} : { description };
    return this.ask('apply-commit', { agent, commit_ref, ...more });
  }

  /** Approves what was shown and waits for its end. */
  async approve(id: string, sha?: string | null): Promise<ApprovalRow> {
    const shown = sha === undefined ? (await this.approval(id)).sha : sha;
    const { approval } = await this.hive.post<C0reAnswers['approval']>(
      'admin',
      `/v1/approvals/${id}/approve?wait=1`,
      { sha: shown },
    );
    return approval;
  }

  async deny(id: string, reason?: string): Promise<ApprovalRow> {
    const { approval } = await this.hive.post<C0reAnswers['approval']>(
      'admin',
      `/v1/approvals/${id}/deny`,
      reason === undefined ? {} : { reason },
    );
    return approval;
  }

  async show(id: string, base?: string): Promise<C0reAnswers['approval_detail']> {
    const query = base === undefined ? '' : `?base=${base}`;
    return this.hive.getJson('admin', `/v1/approvals/${id}${query}`);
  }

  async approval(id: string): Promise<ApprovalRow> {
    return (await this.show(id, 'none')).approval;
  }

  /** Git in the proposed repository, as who owns it. */
  git(agent: string, ...args: string[]): string {
    const folder = this.hive.agentPath(agent, 'config');
    return this.asOwner(folder, 'git', '-C', folder, ...args);
  }

  /** Any program, as the owner of that folder. */
  asOwner(folder: string, ...argv: string[]): string {
    const { uid } = lstatSync(folder);
    const user =
      process.getuid?.() === 0
        ? ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups']
        : [];
    const [file = '', ...rest] = [...user, ...argv];
    return execFileSync(file, rest, {
      encoding: 'utf8',
      cwd: '/',
      env: {
        PATH: process.env['PATH'],
        HOME: '/nonexistent',
        GIT_AUTHOR_NAME: 'manager',
        GIT_AUTHOR_EMAIL: 'manager@hive',
        GIT_COMMITTER_NAME: 'manager',
        GIT_COMMITTER_EMAIL: 'manager@hive',
      },
    }).trim();
  }

  /** Writes files into the proposed repository, as the manager. */
  write(agent: string, files: Record<string, string>): void {
    const folder = this.hive.agentPath(agent, 'config');
    for (const [name, text] of Object.entries(files)) {
      const script = 'mkdir -p "$(dirname "$1")" && printf "%s" "$2" > "$1"';
      this.asOwner(folder, 'sh', '-c', script, 'sh', path.join(folder, name), text);
    }
  }

  /** Commits files; returns the commit. */
  commit(agent: string, files: Record<string, string>, message = 'change'): string {
    this.write(agent, files);
    this.git(agent, 'add', '--all', '--force');
    this.git(agent, 'commit', '--quiet', '--allow-empty', '--message', message);
    return this.git(agent, 'rev-parse', 'HEAD');
  }

  /** Git in the applied repository, as the operator would look at it. */
  applied(agent: string, ...args: string[]): string {
    const folder = path.join(this.hive.home, 'applied', agent);
    return execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' }).trim();
  }

  /** Tags of the applied repository with the commits that they name. */
  tags(agent: string): Record<string, string> {
    const text = this.applied(
      agent,
      'for-each-ref',
      '--format=%(refname:strip=2) %(objectname) %(*objectname)',
      'refs/tags',
    );
    return Object.fromEntries(
      text.split('\n').map((line) => {
        const [tag = '', sha = '', peeled] = line.split(' ');
        return [tag, peeled ? peeled : sha];
      }),
    );
  }

  main(agent: string): string {
    return this.applied(agent, 'rev-parse', 'main');
  }

  /** A file of the tree that the agent is shown. */
  deployed(agent: string, file: string): string {
    return readFileSync(path.join(this.hive.home, 'applied', agent, file), 'utf8');
  }

  /** Subjects of the meta repository's log, newest first. */
  metaLog(): string[] {
    const folder = path.join(this.hive.home, 'meta');
    mkdirSync(folder, { recursive: true });
    const log = execFileSync('git', ['-C', folder, 'log', '--format=%s', 'main'], {
      encoding: 'utf8',
    });
    return log.trim().split('\n');
  }
}
