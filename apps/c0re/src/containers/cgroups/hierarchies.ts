import { readFileSync } from 'node:fs';

/** Where the machine's cgroup controllers are mounted. */
export interface Hierarchies {
  /** Mount point of version 2; beside version 1 it has no controllers but still tracks and kills. */
  unified: string | undefined;
  /** Controllers of version 2 that groups can have. */
  unifiedControllers: readonly string[];
  /** Mount point by controller of version 1. */
  legacy: ReadonlyMap<string, string>;
}

/** Controllers by which an agent is limited. */
export const LIMITING = ['memory', 'cpu', 'pids'] as const;

/** Reads them from the text of a mountinfo and of the root's cgroup.controllers. */
export function parseHierarchies(
  mountinfo: string,
  controllersAt: (mountPoint: string) => string,
): Hierarchies {
  const legacy = new Map<string, string>();
  let unified: string | undefined;
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ');
    if (before === undefined || after === undefined) continue;
    const mountPoint = before.split(' ')[4] ?? '';
    const [type, , options = ''] = after.split(' ');
    if (type === 'cgroup2') unified ??= mountPoint;
    if (type !== 'cgroup') continue;
    for (const option of options.split(',')) {
      if (!legacy.has(option)) legacy.set(option, mountPoint);
    }
  }
  const unifiedControllers =
    unified === undefined ? [] : controllersAt(unified).trim().split(/\s+/).filter(Boolean);
  return { unified, unifiedControllers, legacy };
}

/** What this machine has. */
export function readHierarchies(): Hierarchies {
  return parseHierarchies(readFileSync('/proc/self/mountinfo', 'utf8'), (mountPoint) => {
    try {
      return readFileSync(`${mountPoint}/cgroup.controllers`, 'utf8');
    } catch {
      return '';
    }
  });
}
