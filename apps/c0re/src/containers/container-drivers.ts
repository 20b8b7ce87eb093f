import { HiveError, type Container } from '#libs/protocol';

import type { ContainerDriver } from './container-driver.js';
import { ProcessDriver, type ProcessDriverOptions } from './process/process.driver.js';

/** The container drivers that this version has. */
const AVAILABLE: readonly Container[] = ['process'];

/** The driver of that name. Throws `driver_unavailable` that names what there is. */
export function containerDriver(name: Container, options: ProcessDriverOptions): ContainerDriver {
  if (name === 'process') return new ProcessDriver(options);
  throw new HiveError(
    'driver_unavailable',
    `HIVE_CONTAINER_DRIVER=${name} is not available yet; available now: ${AVAILABLE.join(', ')}`,
  );
}
