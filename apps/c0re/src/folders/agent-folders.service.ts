import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  closeSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

import { Injectable } from '@nestjs/common';

import { HiveError } from '#libs/protocol';

import { removeTree } from '../files/remove-tree.js';
import { hashOf } from '../operators/credential.hash.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import type { AgentPaths } from '../settings/hive-home.js';

/** Folders for everybody: entered by all, changed by root only. */
const ENTERED = 0o711;
/** A token has 43 bytes. */
const TOKEN_BYTES = 512;

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
    makeFolder(home.meta, 0o755);
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

  /** Moves folders that were set aside back under a name that nothing lies under. */
  bringBack(aside: string, folder: string): void {
    const { home } = this.settings;
    for (const root of [home.agents, home.applied]) {
      if (isThere(path.join(root, aside))) {
        renameSync(path.join(root, aside), path.join(root, folder));
      }
    }
  }

  /** Removes folders that were set aside, for good. Nothing outside of them is touched, whatever lies in them. */
  async removeAside(aside: string): Promise<void> {
    const { home } = this.settings;
    for (const root of [home.agents, home.applied]) {
      const parent = path.join(root, path.dirname(aside));
      if (isThere(parent)) await removeTree(parent, path.basename(aside));
    }
  }

  /** Whether the agent's token file holds the token of that hash. The folder is the gateway's: no link is followed. */
  holdsToken(paths: AgentPaths, tokenHash: string | null): boolean {
    let fd: number;
    try {
      fd = openSync(paths.token, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch {
      return false;
    }
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) return false;
      return stat.size <= TOKEN_BYTES && hashOf(readFileSync(fd, 'utf8')) === tokenHash;
    } finally {
      closeSync(fd);
    }
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

  /** Makes the folders of the repositories of an agent that does not exist yet. */
  prepareConfig(name: string): AgentPaths {
    const paths = this.paths(name);
    const { gitUser } = this.settings;
    makeFolder(paths.root, ENTERED);
    makeFolder(paths.applied, 0o750, gitUser === undefined ? undefined : 0, gitUser);
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
