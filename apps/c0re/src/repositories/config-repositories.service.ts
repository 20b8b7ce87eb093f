import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { Injectable } from '@nestjs/common';
import { simpleGit, type SimpleGit } from 'simple-git';

import type { AgentPaths } from '../settings/hive-home.js';

/** Branch of both repositories. */
const BRANCH = 'main';
/** Longest that one git command may be silent, in milliseconds. */
const GIT_SILENCE_MS = 30_000;
/**
 * Git as c0re runs it: no configuration but this, no hooks, no prompts, no background work. Nothing that lies in a
 * repository can make it start a program.
 */
const ENVIRONMENT = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  HOME: '/nonexistent',
  LC_ALL: 'C',
};
const CONFIG = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'commit.gpgSign=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'user.name=hyperhive',
  'user.email=hyperhive@localhost',
  `init.defaultBranch=${BRANCH}`,
  'advice.detachedHead=false',
];

/**
 * The two repositories of an agent (PRODUCT 4.4): the proposed one in its config/, and the applied one, whose work tree
 * is what is deployed. Both belong to c0re and no agent can write to them.
 */
@Injectable()
export class ConfigRepositories {
  /** Throws with one sentence when there is no git. */
  async check(): Promise<void> {
    const version = await git('/').version();
    if (!version.installed) throw new Error('git is not installed: install the package `git`');
  }

  /**
   * Makes both repositories from the files of the first commit and deploys that. What a crash left half made is made
   * anew. Returns the deployed commit.
   */
  async create(paths: AgentPaths, files: Record<string, string>): Promise<string> {
    for (const folder of [paths.config, paths.applied]) emptyFolder(folder);
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(paths.config, file)), { recursive: true });
      writeFileSync(path.join(paths.config, file), text, { flag: 'wx', mode: 0o644 });
    }
    const proposed = git(paths.config);
    await proposed.raw('init', '--quiet', '--template=');
    await proposed.raw('add', '--all', '--force');
    await proposed.raw('commit', '--quiet', '--message', 'agent.yaml as the agent was made');
    const commit = (await proposed.raw('rev-parse', 'HEAD')).trim();

    const applied = git(paths.applied);
    await applied.raw('init', '--quiet', '--template=');
    await applied.raw('fetch', '--quiet', '--no-tags', paths.config, BRANCH);
    await applied.raw('reset', '--quiet', '--hard', commit);
    await applied.raw('tag', 'deployed/0', commit);
    // The agent may read the deployed tree, not the history beside it.
    for (const folder of [paths.config, paths.applied]) chmodSync(path.join(folder, '.git'), 0o700);
    return commit;
  }
}

function git(folder: string): SimpleGit {
  return simpleGit({
    baseDir: folder,
    config: CONFIG,
    timeout: { block: GIT_SILENCE_MS },
    allowEnvironment: [...Object.keys(ENVIRONMENT), 'PATH'],
    // simple-git guards these switches against foreign values; ours only turn things off.
    unsafe: {
      allowUnsafeConfigPaths: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeHooksPath: true,
      allowUnsafeTemplateDir: true,
    },
  }).env({ ...ENVIRONMENT, PATH: process.env['PATH'] ?? '' });
}

/** Removes everything in a folder that only c0re can change. */
function emptyFolder(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}
