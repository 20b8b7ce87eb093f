import { IsString, Matches } from 'class-validator';

import { EXTERNAL_LABEL, type WakeRequest } from '#libs/protocol';

/** `POST /harness/v1/wake`; the broker checks the body as it checks every message. */
export class WakeDto implements WakeRequest {
  @Matches(EXTERNAL_LABEL, {
    message: '$property must be a label of 1 to 32 lower-case letters, digits and dashes',
  })
  from: string;

  @IsString()
  body: string;
}
