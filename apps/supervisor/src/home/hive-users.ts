import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { HIVE_BLOCKS, IDS_PER_HIVE, serviceUser, type UnprivilegedService } from '#libs/service';

import { StartRefusedError } from '../preflight/start-refused.error.js';
import { identityOf, stillRuns, type ProcessIdentity } from '../processes/process-identity.js';

/** Holds the hive's first user id, in its state folder: what its users own there must stay theirs. */
const UID_BASE_FILE = 'uid-base';
/** In the runtime folder: which supervisor runs, and with which user ids. */
const OWNER_FILE = 'owner.json';

/** Under which users the hive runs. */
export interface HiveUsers {
  /** First id of the hive's block; undefined when everything runs as the user who started it (P29). */
  readonly base: number | undefined;
  /** User and group id of a service; undefined: that of the supervisor. */
  of(service: string): number | undefined;
}

/** Started as a plain user: there is one user for everything. */
export const singleUser: HiveUsers = { base: undefined, of: () => undefined };

/** Started as root: a user per service from the hive's block; whatever is not named there (c0re) stays root. */
export function separateUsers(base: number): HiveUsers {
  const own = new Set(['broker', 'gateway', 'dashboard', 'scheduler', 'redis']);
  return {
    base,
    of: (service) =>
      own.has(service) ? serviceUser(base, service as UnprivilegedService) : undefined,
  };
}

/**
 * The first user id of the hive: the one it had before, or a new one that no running hive has.
 * @throws StartRefusedError when this machine gives its root too few user ids.
 */
export function chooseUidBase(home: string, runtimeParent: string): number {
  const kept = readBase(path.join(home, UID_BASE_FILE));
  const base = kept ?? newBase(home, basesInUse(runtimeParent));
  checkUidMap(base);
  if (kept === undefined) writeFileSync(path.join(home, UID_BASE_FILE), `${base}\n`);
  return base;
}

function newBase(home: string, inUse: ReadonlySet<number>): number {
  const start = createHash('sha256').update(home).digest().readUInt32BE(0);
  const blocks = Array.from({ length: HIVE_BLOCKS }, (_, n) => ((start + n) % HIVE_BLOCKS) + 1);
  const free = blocks.find((block) => !inUse.has(block * IDS_PER_HIVE)) ?? blocks[0] ?? 1;
  return free * IDS_PER_HIVE;
}

/** Notes in the runtime folder which user ids this hive has taken, as long as this supervisor lives. */
export function noteUidBase(runtimeFolder: string, base: number): void {
  const owner = { base, ...identityOf(process.pid) };
  writeFileSync(path.join(runtimeFolder, OWNER_FILE), JSON.stringify(owner), { mode: 0o600 });
}

function basesInUse(runtimeParent: string): Set<number> {
  const folders = readdirSync(runtimeParent).filter((name) => name.startsWith('hyperhive-'));
  return new Set(
    folders.flatMap((name) => {
      try {
        const text = readFileSync(path.join(runtimeParent, name, OWNER_FILE), 'utf8');
        const owner = JSON.parse(text) as ProcessIdentity & { base: number };
        return stillRuns(owner) ? [owner.base] : [];
      } catch {
        return []; // No hive of root's, or one that is just being made.
      }
    }),
  );
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
