import { Inject, Injectable } from '@nestjs/common';

import type { DriverTrial } from '#libs/protocol';

import {
  tryDrivers,
  type ChosenDriver,
  type ContainerDriversOptions,
} from '../containers/container-drivers.js';
import { CHOSEN_DRIVER, DRIVER_OPTIONS } from '../settings/tokens.js';

/** Tries the container drivers when the operator asks which work here and why not (PRODUCT 4.2). */
@Injectable()
export class DriverTrials {
  private running: Promise<DriverTrial[]> | undefined;

  constructor(
    @Inject(DRIVER_OPTIONS) private readonly options: ContainerDriversOptions,
    @Inject(CHOSEN_DRIVER) private readonly chosen: ChosenDriver,
  ) {}

  /** All who ask while a trial runs get its result: trials share a container's name. */
  run(): Promise<DriverTrial[]> {
    this.running ??= this.tryAll().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async tryAll(): Promise<DriverTrial[]> {
    const trials = await tryDrivers(this.options);
    return trials.map(({ name, obstacle }) => ({
      name,
      in_use: name === this.chosen.driver.name,
      obstacle: obstacle ?? null,
    }));
  }
}
