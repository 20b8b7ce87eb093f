import path from 'node:path';

import type { ContainerMount } from '../containers/container-driver.js';
import type { C0reSettings } from '../settings/c0re.settings.js';
import type { AgentPaths } from '../settings/hive-home.js';

/** Where a container has the hive's own programs. */
const PROGRAMS = '/opt/hive';
/** The same in every container that has files of its own. */
export const INSIDE = {
  node: `${PROGRAMS}/bin/node`,
  search: `${PROGRAMS}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
} as const;
/** The harness within a build, and all that it is made of. */
const BUILT_MAIN = 'dist/apps/harness/src/main.js';
const BUILT_PARTS = ['package.json', 'dist/apps/harness', 'dist/libs/protocol'];

/** Paths that an agent sees in a container that has files of its own (PRODUCT 4.3). */
export function insidePaths(name: string) {
  const root = `/agents/${name}`;
  return {
    state: `${root}/state`,
    home: `${root}/home`,
    work: `${root}/home/.hive`,
    run: '/run/hive',
    token: '/run/hive/token',
    harnessConfig: `${root}/harness.json`,
    applied: '/config',
    shared: '/shared',
    docs: '/docs',
  };
}

/** What is bound into the agent's container, and where its harness lies there. */
export function agentMounts(
  settings: C0reSettings,
  name: string,
  paths: AgentPaths,
): { mounts: ContainerMount[]; main: string } {
  const { home, nodePath, harnessMain, reachable } = settings;
  const inside = insidePaths(name);
  const isBuilt = harnessMain.endsWith(path.join('/', BUILT_MAIN));
  const build = harnessMain.slice(0, -BUILT_MAIN.length);
  const main = path.join(PROGRAMS, isBuilt ? BUILT_MAIN : path.basename(harnessMain));
  return {
    main,
    mounts: [
      writable(paths.state, inside.state),
      writable(paths.home, inside.home),
      // The folder, never a socket in it: a gateway that starts again makes a new one (P35).
      readOnly(paths.run, inside.run),
      readOnly(paths.harnessConfig, inside.harnessConfig),
      readOnly(paths.applied, inside.applied),
      writable(home.shared, inside.shared),
      readOnly(home.docs, inside.docs),
      readOnly(nodePath, INSIDE.node),
      ...(isBuilt
        ? BUILT_PARTS.map((part) => readOnly(path.join(build, part), path.join(PROGRAMS, part)))
        : [readOnly(harnessMain, main)]),
      // What the operator named, such as a CLI outside of /usr, lies where it lies on the host.
      ...reachable.map((place) => readOnly(place, place)),
    ],
  };
}

function readOnly(source: string, target: string): ContainerMount {
  return { source, target, writable: false };
}

function writable(source: string, target: string): ContainerMount {
  return { source, target, writable: true };
}
