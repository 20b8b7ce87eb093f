import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  closeSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

import { Injectable } from '@nestjs/common';

import { HiveError } from '#libs/protocol';

import { C0reSettings } from '../settings/c0re.settings.js';
import type { AgentPaths } from '../settings/hive-home.js';

/** Folders for everybody: entered by all, changed by root only. */
const ENTERED = 0o711;

/**
 * The agents' folders. An agent may replace anything inside its state/ and home/ at any time, so nothing below those is
 * ever touched here: c0re works on their names in folders that only root can change, and never through a link.
 */
@Injectable()
export class AgentFolders {
  constructor(private readonly settings: C0reSettings) {}

  /** The hive's own folders; done twice it changes nothing. */
  prepareHome(): void {
    const { home } = this.settings;
    makeFolder(home.agents, ENTERED);
    makeFolder(home.applied, ENTERED);
    makeFolder(home.containers, ENTERED);
    makeFolder(home.shared, 0o1777);
    makeFolder(home.docs, 0o755);
    makeFolder(home.secrets, 0o700);
    makeFolder(home.agentSecrets, 0o700);
    makeFolder(home.agentLogs, 0o700);
  }

  paths(folder: string): AgentPaths {
    return this.settings.home.agent(folder);
  }

  /** Whether anything lies where this agent's folders belong. */
  exist(folder: string): boolean {
    const paths = this.paths(folder);
    return isThere(paths.root) || isThere(paths.applied);
  }

  /** Moves the folders of a destroyed agent aside, so that its name is free. Returns their new name. */
  setAside(folder: string, agentId: number): string {
    const { home } = this.settings;
    const aside = path.join('.kept', `${folder}.${agentId}`);
    for (const root of [home.agents, home.applied]) {
      makeFolder(path.join(root, '.kept'), 0o700);
      if (isThere(path.join(root, folder))) {
        renameSync(path.join(root, folder), path.join(root, aside));
      }
    }
    return aside;
  }

  /** Makes what is missing of an agent's folders and sets their owners. `user` undefined: all is c0re's own user's. */
  prepare(folder: string, user: number | undefined): AgentPaths {
    const paths = this.paths(folder);
    const gateway = this.settings.peerUser('gateway');
    makeFolder(paths.root, ENTERED);
    if (!isThere(paths.home)) {
      // No process of the agent exists yet, so nobody can be in the way while its home is made.
      makeFolder(paths.home, 0o700);
      makeFolder(paths.work, 0o700, user, user);
    }
    makeFolder(paths.home, 0o700, user, user);
    makeFolder(paths.state, 0o700, user, user);
    makeFolder(paths.config, 0o700);
    makeFolder(paths.run, user === undefined ? 0o700 : 0o2750, gateway, user);
    makeFolder(paths.applied, 0o750, user === undefined ? undefined : 0, user);
    return paths;
  }

  /** Writes the agent's token for the agent alone. */
  writeToken(paths: AgentPaths, token: string, user: number | undefined): void {
    writeForAgent(paths, paths.token, token, user);
  }

  /** Writes what its harness is told, which may hold secrets, for the agent alone. */
  writeHarnessConfig(paths: AgentPaths, config: unknown, user: number | undefined): void {
    writeForAgent(paths, paths.harnessConfig, JSON.stringify(config), user);
  }

  /** Writes where the agent's network may lead (P35), for the gateway: an agent can neither read nor change it. */
  writeEgress(paths: AgentPaths, hosts: readonly string[]): void {
    const fresh = path.join(paths.root, `.new-${randomBytes(8).toString('hex')}`);
    writeFileSync(fresh, JSON.stringify({ hosts }), { mode: 0o640, flag: 'wx' });
    const gateway = this.settings.peerUser('gateway');
    if (gateway !== undefined) lchownSync(fresh, 0, gateway);
    chmodSync(fresh, 0o640);
    renameSync(fresh, paths.egress);
  }

  /** Removes token and harness config. */
  removeCredentials(paths: AgentPaths): void {
    rmSync(paths.token, { force: true });
    rmSync(paths.harnessConfig, { force: true });
  }
}

function isThere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** Makes the folder when it is missing, and sets mode and owner of the folder itself. Its parent is not an agent's. */
function makeFolder(folder: string, mode: number, owner?: number, group?: number): void {
  if (!existsSync(path.dirname(folder))) makeFolder(path.dirname(folder), ENTERED);
  if (!isThere(folder)) mkdirSync(folder, { mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory()) {
    throw new HiveError('conflict', `${folder} is not a folder; move it away and try again`);
  }
  if (owner !== undefined && (found.uid !== owner || found.gid !== (group ?? owner))) {
    lchownSync(folder, owner, group ?? owner);
  }
  chmodSync(folder, mode);
}

/**
 * Writes a file that only the agent may read: whole under a new name in the agent's root folder, which no agent can
 * change, and then moved to its place.
 */
function writeForAgent(
  paths: AgentPaths,
  file: string,
  content: string,
  user: number | undefined,
): void {
  const fresh = path.join(paths.root, `.new-${randomBytes(8).toString('hex')}`);
  const fd = openSync(fresh, 'wx', 0o400);
  try {
    writeFileSync(fd, content);
    if (user !== undefined) fchownSync(fd, user, user);
    fchmodSync(fd, 0o400);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, file);
}
