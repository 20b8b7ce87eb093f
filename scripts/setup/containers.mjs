import { SetUpError } from './clone.mjs';
import { say, step } from './progress.mjs';
import { aptSystem, findProgram, installByApt } from './system-packages.mjs';

/** Programs of the container drivers with the packages of Debian and Ubuntu that bring them. */
const PACKAGES = {
  'systemd-nspawn': 'systemd-container',
  bwrap: 'bubblewrap',
  podman: 'podman',
  catatonit: 'catatonit',
  runc: 'runc',
};

/**
 * What keeps agents apart best: systemd-nspawn, installed where that can be done. A hive without it starts all the same,
 * and says which protections are off.
 */
export async function ensureSandbox(args) {
  const isNamed =
    process.env.HIVE_CONTAINER_DRIVER ||
    args.some((word) => /^--(hive-)?container-driver(=|$)/i.test(word));
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || isNamed) return;
  try {
    await ensurePackages(['systemd-nspawn'], 'the sandbox for agents');
  } catch (error) {
    say(`without a sandbox for agents: ${error.message.trim().split('\n').at(-1)}`);
  }
}

/**
 * Everything that the tests of the container drivers run.
 * @throws SetUpError with what is missing where it cannot be installed.
 */
export async function ensureContainers() {
  if (process.platform !== 'linux') return;
  const isRoot = process.getuid?.() === 0;
  await ensurePackages(
    isRoot ? Object.keys(PACKAGES) : ['bwrap'],
    'the container drivers for their tests',
  );
}

async function ensurePackages(programs, what) {
  const missing = programs.filter((program) => !findProgram(program));
  if (missing.length === 0) return;
  const packages = missing.map((program) => PACKAGES[program]);
  if (!aptSystem() || process.getuid?.() !== 0) {
    throw new SetUpError(
      `${what} need ${missing.join(', ')}, and there is none on this machine. On Debian: sudo apt-get install ${packages.join(' ')}`,
    );
  }
  await step(`installing ${packages.join(', ')} (apt-get)`, () => installByApt(packages));
}
