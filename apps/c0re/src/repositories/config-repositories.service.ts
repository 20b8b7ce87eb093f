import { execFile } from 'node:child_process';
import { chmodSync, existsSync, lchownSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { Injectable } from '@nestjs/common';

import { clip, HiveError, LIMITS, type ConfigDiff } from '#libs/protocol';

import { copyCommit, git, GitError, gitText, type GitCall, type GitUser } from '../git/git.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import type { AgentPaths } from '../settings/hive-home.js';
import { parseTree, type TreeFile } from './config-tree.js';
import { writeTree } from './deployed-tree.js';
import { importCommit } from './import-commit.js';

/** What stands before the id of an approval in a tag. */
export type TagKind = 'proposal' | 'approved' | 'building' | 'deployed' | 'failed' | 'denied';

/** A tag of an applied repository. */
export interface TagEntry {
  tag: string;
  sha: string;
  /** First line of the commit's message. */
  subject: string;
  /** Milliseconds since 1970. */
  at: number;
}

/** Attributes in a tree decide nothing: neither how it is shown nor what is written. */
const NO_ATTRIBUTES =
  '* -text -eol -ident -filter -working-tree-encoding -export-subst !diff !merge';
const MAIN = 'refs/heads/main';
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const run = promisify(execFile);

/**
 * The two repositories of an agent (PRODUCT 4.4). The proposed one in its config/ belongs to the manager, who may do
 * anything with it; the applied one, beside the deployed tree, is c0re's alone. Git runs as a user without any power in
 * the applied one, and as the manager in the proposed one: root never reads what an agent wrote.
 */
@Injectable()
export class ConfigRepositories {
  constructor(private readonly settings: C0reSettings) {}

  /** Throws with one sentence when there is no git. */
  async check(): Promise<void> {
    await git({ as: undefined }, '--version').catch(() => {
      throw new Error('git is not installed: install the package `git`');
    });
  }

  /**
   * Makes both repositories from the files of the first commit; what a crash left half made is made anew. `owner`: the
   * manager's user, when there is one. Returns the commit, which is not deployed yet.
   */
  async create(
    paths: AgentPaths,
    files: Record<string, string>,
    owner: number | undefined,
  ): Promise<string> {
    await this.createApplied(paths);
    const applied = this.applied(paths);
    const commit = await importCommit(applied, {
      ref: 'refs/hive/first',
      message: 'agent.yaml as the agent was made',
      files,
    });
    await this.createProposed(paths, commit, owner);
    return commit;
  }

  /** Makes the commit the first that is deployed: its tree, `main` and `deployed/0`. */
  async deployFirst(paths: AgentPaths, commit: string): Promise<void> {
    await this.writeDeployed(paths, commit);
    await git(this.applied(paths), 'update-ref', MAIN, commit);
    await this.tag(paths, 'deployed/0', commit);
  }

  /**
   * Copies a commit of the proposed repository into the applied one, so that nothing that happens to the former changes
   * it any more, and checks its tree. `ref`: 7 to 40 hexadecimal digits, or undefined for the newest commit of `main`.
   */
  async pin(
    paths: AgentPaths,
    ref: string | undefined,
  ): Promise<{ sha: string; files: TreeFile[] }> {
    const proposed = this.proposed(paths);
    const applied = this.applied(paths);
    const sha = await this.resolve(proposed, ref);
    if (!(await this.has(applied, sha))) {
      await copyCommit(proposed, applied, sha, LIMITS.config_fetch_bytes).catch(unreadable);
    }
    await git(applied, 'rev-list', '--objects', '--quiet', sha).catch((error: unknown) => {
      throw new HiveError(
        'invalid_config',
        `commit ${sha.slice(0, 12)} is not whole: objects that belong to it or its history are missing (${saidBy(error)})`,
      );
    });
    return { sha, files: await this.files(paths, sha) };
  }

  /** The files of a commit's tree. Throws `invalid_config` when it is not one that may be deployed. */
  async files(paths: AgentPaths, sha: string): Promise<TreeFile[]> {
    return parseTree(
      await git(this.applied(paths), 'ls-tree', '-r', '-t', '-z', '-l', '--full-tree', sha),
    );
  }

  /** The text of a file of a commit; undefined when there is none. */
  async text(paths: AgentPaths, sha: string, file: string): Promise<string | undefined> {
    const found = (await this.files(paths, sha)).find((entry) => entry.path === file);
    if (!found) return undefined;
    return (await git(this.applied(paths), 'cat-file', 'blob', found.oid)).toString('utf8');
  }

  /** Makes the folder of the deployed tree hold this commit's. */
  async writeDeployed(paths: AgentPaths, sha: string): Promise<void> {
    const applied = this.applied(paths);
    const files = await this.files(paths, sha);
    const contents = [];
    for (const { path: name, oid, executable } of files) {
      contents.push({
        path: name,
        executable,
        content: await git(applied, 'cat-file', 'blob', oid),
      });
    }
    writeTree(paths.applied, contents);
  }

  /** Sets a tag, with a text of its own when `note` is given; one that stands stays. */
  async tag(paths: AgentPaths, name: string, sha: string, note?: string): Promise<void> {
    const applied = this.applied(paths);
    if ((await this.commitOf(paths, name)) !== undefined) return;
    if (note === undefined) {
      await git(applied, 'update-ref', `refs/tags/${name}`, sha);
      return;
    }
    await git(
      { ...applied, input: note },
      'tag',
      '--annotate',
      '--cleanup=verbatim',
      '--file=-',
      name,
      sha,
    );
  }

  /** `main` and the tag in one step: `main` only ever sits on a deployed tree. */
  async moveMain(paths: AgentPaths, sha: string, tag: string): Promise<void> {
    const input = `update ${MAIN} ${sha}\nupdate refs/tags/${tag} ${sha}\n`;
    await git({ ...this.applied(paths), input }, 'update-ref', '--stdin');
  }

  /** The commit of a tag or of a whole id; undefined when it is not there. */
  async commitOf(paths: AgentPaths, tagOrSha: string): Promise<string | undefined> {
    const name = /^[0-9a-f]{40}$/.test(tagOrSha) ? tagOrSha : `refs/tags/${tagOrSha}`;
    try {
      return await gitText(
        this.applied(paths),
        'rev-parse',
        '--verify',
        '--quiet',
        '--end-of-options',
        `${name}^{commit}`,
      );
    } catch (error) {
      if (error instanceof GitError) return undefined;
      throw error;
    }
  }

  /** The text of a tag that has one; undefined when it is not there. */
  async note(paths: AgentPaths, name: string): Promise<string | undefined> {
    if ((await this.commitOf(paths, name)) === undefined) return undefined;
    return gitText(
      this.applied(paths),
      'for-each-ref',
      '--format=%(contents)',
      `refs/tags/${name}`,
    );
  }

  async main(paths: AgentPaths): Promise<string | undefined> {
    return gitText(this.applied(paths), 'rev-parse', '--verify', '--quiet', MAIN).catch(
      () => undefined,
    );
  }

  /** All tags of the hive's own. */
  async tags(paths: AgentPaths): Promise<TagEntry[]> {
    const format = [
      '%(refname:strip=2)',
      '%(objectname)',
      '%(*objectname)',
      '%(subject)',
      '%(*subject)',
      '%(creatordate:unix)',
    ].join('%00');
    const text = await gitText(
      this.applied(paths),
      'for-each-ref',
      `--format=${format}`,
      'refs/tags',
    );
    return text.split('\n').flatMap((line) => {
      const [tag, sha, peeled, subject, peeledSubject, at] = line.split('\0');
      if (tag === undefined || tag === '' || sha === undefined) return [];
      return {
        tag,
        sha: peeled || sha,
        subject: clip((peeled ? peeledSubject : subject) ?? '', 200),
        at: Number(at) * 1000,
      };
    });
  }

  /** The diff between two commits as text; null: the empty tree. */
  async diff(paths: AgentPaths, from: string | null, to: string): Promise<ConfigDiff> {
    const output = await gitText(
      { ...this.applied(paths), maxBytes: LIMITS.config_tree_bytes * 4 },
      'diff',
      '--no-ext-diff',
      '--no-textconv',
      '--no-color',
      '--find-renames',
      '--no-indent-heuristic',
      '--src-prefix=a/',
      '--dst-prefix=b/',
      from ?? EMPTY_TREE,
      to,
      '--',
    );
    if (output.length <= LIMITS.diff_chars) return { from, to, diff: output };
    return { from, to, diff: output.slice(0, LIMITS.diff_chars).toWellFormed(), truncated: true };
  }

  /** Whether there is an applied repository: a purged agent has none. */
  exists(paths: AgentPaths): boolean {
    return existsSync(this.gitDir(paths));
  }

  /** Gives the proposed repository to the manager's user, when it is not his already. */
  async giveTo(paths: AgentPaths, owner: number | undefined): Promise<void> {
    const wanted = owner ?? this.settings.gitUser;
    if (wanted === undefined || !existsSync(paths.config)) return;
    const { uid } = lstatSync(paths.config);
    if (uid === wanted) return;
    // Nobody who may write to it lives: it was c0re's, or a manager's who is gone. Links are not followed.
    await run('chown', ['-R', '-P', '-h', `--from=${uid}`, `${wanted}:${wanted}`, paths.config]);
    lchownSync(paths.config, wanted, wanted);
  }

  /** Takes over an applied repository of a hive that kept it as root. */
  async takeOver(paths: AgentPaths): Promise<void> {
    const { gitUser } = this.settings;
    const repository = this.gitDir(paths);
    if (gitUser === undefined || !existsSync(repository)) return;
    if (lstatSync(repository).gid === gitUser) return;
    await run('chown', ['-R', '-P', '-h', `${gitUser}:${gitUser}`, repository]);
    this.ownGitDir(repository);
    await git(this.applied(paths), 'config', 'core.bare', 'true');
  }

  private async createApplied(paths: AgentPaths): Promise<void> {
    const repository = this.gitDir(paths);
    rmSync(repository, { recursive: true, force: true });
    mkdirSync(repository, { mode: 0o700 });
    this.ownGitDir(repository);
    await this.init(repository, this.gitAs(paths), true);
    await git(this.applied(paths), 'config', 'core.logAllRefUpdates', 'always');
    await this.writeAttributes(paths, repository);
  }

  private async createProposed(
    paths: AgentPaths,
    commit: string,
    owner: number | undefined,
  ): Promise<void> {
    const user = owner ?? this.settings.gitUser;
    rmSync(paths.config, { recursive: true, force: true });
    mkdirSync(paths.config, { mode: 0o700 });
    if (user !== undefined) lchownSync(paths.config, user, user);
    const proposed = this.proposed(paths);
    await this.init(paths.config, proposed.as, false);
    await copyCommit(this.applied(paths), proposed, commit, LIMITS.config_fetch_bytes);
    await git(proposed, 'update-ref', MAIN, commit);
    await git({ ...proposed, workTree: paths.config }, 'reset', '--quiet', '--hard', commit);
  }

  private async init(folder: string, as: GitUser, bare: boolean): Promise<void> {
    await git({ as }, 'init', '--quiet', '--template=', ...(bare ? ['--bare'] : []), folder);
  }

  /** The top belongs to root, so that root may look at it with git; all below is git's user's. */
  private ownGitDir(repository: string): void {
    const { gitUser } = this.settings;
    if (gitUser === undefined) return;
    lchownSync(repository, 0, gitUser);
    chmodSync(repository, 0o770);
  }

  private async writeAttributes(paths: AgentPaths, repository: string): Promise<void> {
    const info = path.join(repository, 'info');
    // By git's user, as everything below the top.
    const script = 'mkdir -p "$1" && printf "%s\\n" "$2" > "$1/attributes"';
    const { as } = this.applied(paths);
    const argv = ['sh', '-c', script, 'sh', info, NO_ATTRIBUTES];
    if (as === undefined) await run('sh', argv.slice(1));
    else {
      await run('setpriv', [
        `--reuid=${as.uid}`,
        `--regid=${as.uid}`,
        as.group === undefined ? '--clear-groups' : `--groups=${as.group}`,
        ...argv,
      ]);
    }
  }

  private async resolve(proposed: GitCall, ref: string | undefined): Promise<string> {
    const name = ref ?? MAIN;
    try {
      const sha = await gitText(
        { ...proposed, maxBytes: 1000 },
        'rev-parse',
        '--verify',
        '--quiet',
        '--end-of-options',
        `${name}^{commit}`,
      );
      if (/^[0-9a-f]{40}$/.test(sha) && (ref === undefined || sha.startsWith(ref))) return sha;
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
    }
    throw new HiveError(
      'not_found',
      ref === undefined
        ? 'the config repository has no commit on main; commit agent.yaml first'
        : `the config repository has no commit ${ref}; commit first, and give its id (git rev-parse HEAD)`,
    );
  }

  private async has(repository: GitCall, sha: string): Promise<boolean> {
    return git(repository, 'cat-file', '-e', `${sha}^{commit}`).then(
      () => true,
      () => false,
    );
  }

  private applied(paths: AgentPaths): GitCall {
    return { gitDir: this.gitDir(paths), as: this.gitAs(paths) };
  }

  private proposed(paths: AgentPaths): GitCall {
    const gitDir = path.join(paths.config, '.git');
    if (!this.settings.separatesUsers) return { gitDir, as: undefined };
    // Whose it is decides as whom it is read, whatever lies in it.
    const { uid } = lstatSync(paths.config);
    if (uid === 0) throw new Error(`${paths.config} belongs to root; it is not read`);
    return { gitDir, as: { uid } };
  }

  private gitDir(paths: AgentPaths): string {
    return path.join(paths.applied, '.git');
  }

  /** Git's user, with the group that may enter the deployed tree. */
  private gitAs(paths: AgentPaths): GitUser {
    const { gitUser } = this.settings;
    if (gitUser === undefined) return undefined;
    const { gid } = lstatSync(paths.applied);
    return { uid: gitUser, ...(gid === 0 || gid === gitUser ? {} : { group: gid }) };
  }
}

function saidBy(error: unknown): string {
  return clip(error instanceof Error ? error.message : String(error), 300);
}

function unreadable(error: unknown): never {
  if (error instanceof HiveError) throw error;
  throw new HiveError(
    'invalid_config',
    `the commit could not be copied out of the config repository: ${saidBy(error)}`,
  );
}
