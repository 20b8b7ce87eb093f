import { HiveError, type Container } from '#libs/protocol';

import type { ContainerDriver } from './container-driver.js';
import { NixosContainerDriver } from './nixos/nixos-container.driver.js';
import { ProcessDriver } from './process/process.driver.js';
import { BubblewrapDriver } from './sandbox/bubblewrap.driver.js';
import type { EnclosedDriverOptions } from './sandbox/enclosed.driver.js';
import { NspawnDriver } from './sandbox/nspawn.driver.js';
import { PodmanDriver } from './sandbox/podman.driver.js';

export interface ContainerDriversOptions extends EnclosedDriverOptions {
  /** Whether agents run as users of their own, which needs root. */
  separateUsers: boolean;
  /** System of NixOS containers, as `REF#ATTRIBUTE`. */
  flake: string | undefined;
}

/** The container drivers that this version has, in the order in which a hive that names none takes them. */
const MAKERS: Readonly<
  Partial<Record<Container, (options: ContainerDriversOptions) => ContainerDriver>>
> = {
  nspawn: (options) => new NspawnDriver(options),
  bubblewrap: (options) => new BubblewrapDriver(options),
  'nixos-container': (options) => new NixosContainerDriver(options),
  podman: (options) => new PodmanDriver(options),
  process: (options) => new ProcessDriver(options),
};
const SANDBOXES: readonly Container[] = ['nspawn', 'bubblewrap'];

/** What a trial of a driver on this machine showed. */
export interface Trial {
  name: Container;
  /** Why it does not work here; undefined when it does. */
  obstacle: string | undefined;
}

/** The driver that a hive has, and why not those before it. */
export interface ChosenDriver {
  driver: ContainerDriver;
  passedOver: readonly Trial[];
}

/**
 * The driver of that name, or without a name the best one that works here, ready for use. Throws `driver_unavailable`
 * with the reason when there is none.
 */
export async function chooseDriver(
  name: Container | undefined,
  options: ContainerDriversOptions,
): Promise<ChosenDriver> {
  const candidates =
    name === undefined
      ? [...SANDBOXES, 'process' as const]
      : name === 'sandbox'
        ? SANDBOXES
        : [name];
  const passedOver: Trial[] = [];
  for (const candidate of candidates) {
    const make = MAKERS[candidate];
    if (!make) {
      const available = ['sandbox', ...Object.keys(MAKERS)].join(', ');
      throw new HiveError(
        'driver_unavailable',
        `HIVE_CONTAINER_DRIVER=${candidate} is not available yet; available now: ${available}`,
      );
    }
    const driver = make(options);
    const obstacle = await obstacleOf(driver);
    if (obstacle === undefined) return { driver, passedOver };
    passedOver.push({ name: candidate, obstacle });
  }
  throw new HiveError('driver_unavailable', passedOver.map(toSentence).join('; '));
}

/** Tries every driver on this machine, one after the other, for `hive doctor`. */
export async function tryDrivers(options: ContainerDriversOptions): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const make of Object.values(MAKERS)) {
    const driver = make(options);
    trials.push({ name: driver.name, obstacle: await obstacleOf(driver) });
  }
  return trials;
}

export function toSentence({ name, obstacle }: Trial): string {
  return obstacle === undefined
    ? `the container driver ${name} works here`
    : `the container driver ${name} does not work here: ${obstacle}`;
}

async function obstacleOf(driver: ContainerDriver): Promise<string | undefined> {
  try {
    await driver.check();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
