import { Inject, Injectable } from '@nestjs/common';

import { toSentence, type ChosenDriver } from '../containers/container-drivers.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import { CHOSEN_DRIVER } from '../settings/tokens.js';

/** An operator token below this can be guessed; ours have 43 characters. */
const WEAK_TOKEN_CHARS = 16;

/** Which protections are off on this machine, for `npm start` and `hive doctor` to say (P29). */
@Injectable()
export class Protections {
  constructor(
    private readonly settings: C0reSettings,
    @Inject(CHOSEN_DRIVER) private readonly chosen: ChosenDriver,
  ) {}

  /** One sentence each; empty when all are on. */
  off(): string[] {
    const { separatesUsers, operatorToken } = this.settings;
    const off: string[] = [];
    if (!separatesUsers) {
      off.push(
        'started as a user: all services share that user, and none is shut off from another',
      );
    }
    if (operatorToken !== undefined && operatorToken.length < WEAK_TOKEN_CHARS) {
      off.push(
        `HIVE_OPERATOR_TOKEN has fewer than ${WEAK_TOKEN_CHARS} characters and can be guessed`,
      );
    }
    const { driver, passedOver } = this.chosen;
    return [...off, ...driver.protectionsOff(), ...passedOver.map(toSentence)];
  }
}
