import { accessSync, constants, readFileSync } from 'node:fs';
import path from 'node:path';

import { SetUpError } from './clone.mjs';
import { run, step } from './progress.mjs';

/** Folders of programs that a short PATH may lack. */
const USUAL_FOLDERS = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
  '/opt/homebrew/bin',
];

/** How each kind of system installs a package, and what the packages are called there. */
const SYSTEMS = {
  debian: {
    install: 'apt-get update && sudo apt-get install -y --no-install-recommends',
    redis: 'redis-server',
    chromium: 'chromium',
    git: 'git',
  },
  ubuntu: {
    install: 'apt-get update && sudo apt-get install -y --no-install-recommends',
    redis: 'redis-server',
    chromium: 'chromium-browser',
    git: 'git',
  },
  fedora: { install: 'dnf install -y', redis: 'valkey', chromium: 'chromium', git: 'git' },
  rhel: { install: 'dnf install -y', redis: 'redis', chromium: 'chromium', git: 'git' },
  arch: { install: 'pacman -S --needed', redis: 'valkey', chromium: 'chromium', git: 'git' },
  suse: { install: 'zypper install -y', redis: 'redis', chromium: 'chromium', git: 'git' },
  alpine: { install: 'apk add', redis: 'redis', chromium: 'chromium', git: 'git' },
};

/** Absolute path of the first of `names` that can be run, or undefined. */
export function findProgram(...names) {
  const folders = [...(process.env.PATH ?? '').split(':').filter(Boolean), ...USUAL_FOLDERS];
  for (const name of names) {
    for (const folder of folders) {
      const file = path.join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined;
}

/**
 * The program's path; installed first where that can be done (Debian and Ubuntu, as root).
 * @param {'redis' | 'chromium' | 'git'} what
 * @throws SetUpError with the command that installs it on this system.
 */
export async function ensureProgram(what, names, why) {
  const found = findProgram(...names);
  if (found) return found;
  const system = systemOf(readOsRelease());
  if (!aptSystem() || process.getuid?.() !== 0) {
    throw new SetUpError(`${why}, and there is none on this machine. ${adviceFor(what, system)}`);
  }
  await step(`installing ${SYSTEMS[system][what]} (apt-get)`, () =>
    installByApt([SYSTEMS[system][what]]),
  );
  const installed = findProgram(...names);
  if (!installed) {
    throw new SetUpError(
      `${SYSTEMS[system][what]} is installed, but it brought none of ${names.join(', ')}`,
    );
  }
  return installed;
}

/** What to type to get it, for the kind of system that this is. */
export function adviceFor(what, system) {
  if (system === 'darwin') return `Install it: brew install ${what}`;
  if (system === 'nixos') return `Start with it: nix-shell -p ${what} --run "npm start"`;
  const known = SYSTEMS[system];
  if (!known) return `Install the package ${what} of this system`;
  return `Install it: sudo ${known.install} ${known[what]}`;
}

/** Which row of SYSTEMS (or darwin, nixos) fits; undefined when none does. */
export function systemOf(osRelease, platform = process.platform) {
  if (platform === 'darwin') return 'darwin';
  const read = (key) => new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(osRelease)?.[1] ?? '';
  const ids = [read('ID'), ...read('ID_LIKE').split(' ')];
  return ids
    .map((id) => (id.startsWith('opensuse') ? 'suse' : id))
    .find((id) => id === 'nixos' || id in SYSTEMS);
}

function readOsRelease() {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}

/** Whether this system installs by apt-get. */
export function aptSystem() {
  return ['debian', 'ubuntu'].includes(systemOf(readOsRelease()));
}

/** Installs the packages; needs root. */
export async function installByApt(names) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Another apt (an automatic upgrade, say) may hold the lock for a while.
  const wait = ['-o', 'DPkg::Lock::Timeout=300'];
  const hint = 'Is this machine online?';
  await run('apt-get', [...wait, 'update'], { env, cwd: '/', hint });
  await run('apt-get', [...wait, 'install', '-y', '--no-install-recommends', ...names], {
    env,
    cwd: '/',
    hint,
  });
}
