import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { HIVE_BLOCKS, IDS_PER_HIVE, serviceUser, type UnprivilegedService } from '#libs/service';

import { StartRefusedError } from '../preflight/start-refused.error.js';
import {
  currentBoot,
  identityOf,
  stillRuns,
  type ProcessIdentity,
} from '../processes/process-identity.js';

/** Holds the hive's first user id, in its state folder: what its users own there must stay theirs. */
const UID_BASE_FILE = 'uid-base';
/** In the runtime folder: which supervisor runs, and with which user ids. */
const OWNER_FILE = 'owner.json';

/** Under which users the hive runs. */
export interface HiveUsers {
  /** First id of the hive's block; undefined when everything runs as the user who started it (P29). */
  readonly base: number | undefined;
  /** Whether another hive that runs has the same ids. */
  readonly isShared: boolean;
  /** User and group id of a service; undefined: that of the supervisor. */
  of(service: string): number | undefined;
}

/** Started as a plain user: there is one user for everything. */
export const singleUser: HiveUsers = { base: undefined, isShared: false, of: () => undefined };

/** Started as root: a user per service from the hive's block; whatever is not named there (c0re) stays root. */
export function separateUsers(base: number, isShared = false): HiveUsers {
  const own = new Set(['broker', 'gateway', 'dashboard', 'scheduler', 'redis']);
  return {
    base,
    isShared,
    of: (service) =>
      own.has(service) ? serviceUser(base, service as UnprivilegedService) : undefined,
  };
}

/**
 * The users of the hive: those it had before, which own its files, or new ones that no running hive has.
 * @throws StartRefusedError when this machine gives its root too few user ids.
 */
export function chooseUsers(home: string, runtimeParent: string): HiveUsers {
  const inUse = basesInUse(runtimeParent);
  const kept = readBase(path.join(home, UID_BASE_FILE));
  const base = kept ?? newBase(home, inUse);
  checkUidMap(base);
  if (kept === undefined) writeFileSync(path.join(home, UID_BASE_FILE), `${base}\n`);
  return separateUsers(base, inUse.has(base));
}

function newBase(home: string, inUse: ReadonlySet<number>): number {
  const start = createHash('sha256').update(home).digest().readUInt32BE(0);
  const blocks = Array.from({ length: HIVE_BLOCKS }, (_, n) => ((start + n) % HIVE_BLOCKS) + 1);
  const free = blocks.find((block) => !inUse.has(block * IDS_PER_HIVE)) ?? blocks[0] ?? 1;
  return free * IDS_PER_HIVE;
}

/** Notes in the runtime folder whose it is and which user ids it has taken, as long as this supervisor lives. */
export function noteOwner(runtimeFolder: string, base: number | undefined): void {
  const owner = { base, ...identityOf(process.pid) };
  writeFileSync(path.join(runtimeFolder, OWNER_FILE), JSON.stringify(owner), { mode: 0o600 });
}

/**
 * Removes runtime folders of this user whose supervisor was killed and never started again. Those of another container
 * that shares the parent are left alone: from here it cannot be told whether they live.
 */
export function removeDeadRuntimeFolders(runtimeParent: string): void {
  for (const { folder, owner } of runtimeFolders(runtimeParent)) {
    if (owner.boot === currentBoot() && !stillRuns(owner))
      rmSync(folder, { recursive: true, force: true });
  }
}

function basesInUse(runtimeParent: string): Set<number> {
  const live = runtimeFolders(runtimeParent).filter(({ owner }) => stillRuns(owner));
  return new Set(live.flatMap(({ owner }) => owner.base ?? []));
}

interface Owner extends ProcessIdentity {
  base?: number;
}

/** Runtime folders of this user's hives; one that is just being made is not yet among them. */
function runtimeFolders(parent: string): { folder: string; owner: Owner }[] {
  return readdirSync(parent)
    .filter((name) => name.startsWith('hyperhive-'))
    .flatMap((name) => {
      const folder = path.join(parent, name);
      try {
        if (lstatSync(folder).uid !== process.geteuid?.()) return [];
        const owner = JSON.parse(readFileSync(path.join(folder, OWNER_FILE), 'utf8')) as Owner;
        return [{ folder, owner }];
      } catch {
        return [];
      }
    });
}

function readBase(file: string): number | undefined {
  try {
    const base = Number(readFileSync(file, 'utf8'));
    const block = base / IDS_PER_HIVE;
    return Number.isInteger(block) && block >= 1 && block <= HIVE_BLOCKS ? base : undefined;
  } catch {
    return undefined;
  }
}

/** Inside a user namespace root may own few user ids only; then no other user can be used. */
function checkUidMap(base: number): void {
  let map: string;
  try {
    map = readFileSync('/proc/self/uid_map', 'utf8');
  } catch {
    return; // No user namespaces on this system.
  }
  const covered = map.split('\n').some((line) => {
    const [inside = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
    return inside <= base && base + IDS_PER_HIVE <= inside + count;
  });
  if (!covered) {
    throw new StartRefusedError(
      `this root may not use the user ids ${base} to ${base + IDS_PER_HIVE - 1} (it is the root of a container with few user ids), so that services and agents cannot get users of their own. Start the hive as an ordinary user of this container`,
    );
  }
}
