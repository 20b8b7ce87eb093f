import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { AgentFolders } from '../folders/agent-folders.service.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import type { AgentPaths } from '../settings/hive-home.js';
import { isRoot, UID_BASE } from '../testing/c0re.fixture.js';
import { ConfigRepositories } from './config-repositories.service.js';

let root: string;
let paths: AgentPaths;
let repositories: ConfigRepositories;
let settings: C0reSettings;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'c0re-git-'));
  chmodSync(root, 0o755);
  settings = new C0reSettings(
    {
      HIVE_HOME: root,
      HIVE_RUNTIME_DIR: root,
      HIVE_DB_DIR: root,
      HIVE_GATEWAY_URL: 'http://127.0.0.1:7001',
      HIVE_LOG_LEVEL: 'fatal',
      HIVE_REV: 'test',
      ...(isRoot ? { HIVE_UID_BASE: UID_BASE } : {}),
    },
    isRoot,
  );
  repositories = new ConfigRepositories(settings);
  const folders = new AgentFolders(settings);
  folders.prepareHome();
  paths = folders.prepareConfig('ada');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

const git = (folder: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'safe.directory=*', '-C', folder, ...args], {
    encoding: 'utf8',
  }).trim();
const make = async (files: Record<string, string>) => {
  const sha = await repositories.create(paths, files, undefined);
  await repositories.deployFirst(paths, sha);
  return sha;
};

describe(verifies('4.4') + 'config repositories', () => {
  it('hold the files on main, deployed as deployed/0', async () => {
    const files = { 'agent.yaml': 'model: x\n', '.gitignore': '*\n', 'src/bot.mjs': '1;\n' };
    const sha = await make(files);
    expect(sha).toMatch(/^[0-9a-f]{40}$/);
    expect(git(paths.config, 'rev-parse', 'main')).toBe(sha);
    expect(git(paths.applied, 'rev-parse', 'main')).toBe(sha);
    expect(git(paths.applied, 'rev-parse', 'refs/tags/deployed/0')).toBe(sha);
    expect(git(paths.applied, 'ls-tree', '-r', '--name-only', 'main').split('\n')).toEqual(
      Object.keys(files).toSorted(),
    );
    expect(readFileSync(path.join(paths.applied, 'src/bot.mjs'), 'utf8')).toBe('1;\n');
    expect(statSync(path.join(paths.applied, '.git')).mode & 0o007).toBe(0);
    expect(git(paths.applied, 'rev-parse', 'HEAD')).toBe(sha);
  });

  it('are made anew where a crash left them half made', async () => {
    mkdirSync(path.join(paths.config, '.git'), { recursive: true });
    writeFileSync(path.join(paths.config, 'agent.yaml'), 'half');
    mkdirSync(path.join(paths.applied, '.git', 'refs'), { recursive: true });
    const sha = await make({ 'agent.yaml': 'whole\n' });
    expect(git(paths.applied, 'show', `${sha}:agent.yaml`)).toBe('whole');
  });

  it('start no hook and read no configuration of the machine', async () => {
    const hooks = path.join(root, 'hooks');
    const proof = path.join(root, 'proof');
    mkdirSync(hooks);
    for (const hook of ['pre-commit', 'post-commit', 'post-checkout', 'reference-transaction']) {
      writeFileSync(path.join(hooks, hook), `#!/bin/sh\necho ${hook} >> ${proof}\n`);
      chmodSync(path.join(hooks, hook), 0o755);
    }
    const config = path.join(root, 'gitconfig');
    writeFileSync(
      config,
      `[core]\n\thooksPath = ${hooks}\n\tfsmonitor = ${hooks}/post-commit\n[init]\n\tdefaultBranch = other\n[commit]\n\tgpgSign = true\n[gpg]\n\tprogram = ${hooks}/post-commit\n`,
    );
    vi.stubEnv('GIT_CONFIG_GLOBAL', config);
    vi.stubEnv('GIT_CONFIG_COUNT', '1');
    vi.stubEnv('GIT_CONFIG_KEY_0', 'core.hooksPath');
    vi.stubEnv('GIT_CONFIG_VALUE_0', hooks);
    vi.stubEnv('GIT_DIR', path.join(root, 'elsewhere'));
    vi.stubEnv('HOME', root);
    writeFileSync(path.join(root, '.gitconfig'), readFileSync(config));
    await make({ 'agent.yaml': 'model: x\n' });
    expect(existsSync(proof)).toBe(false);
    expect(existsSync(path.join(root, 'elsewhere'))).toBe(false);
  });
});
