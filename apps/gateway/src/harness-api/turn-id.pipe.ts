import type { PipeTransform } from '@nestjs/common';

import { clip, HiveError, parseId } from '#libs/protocol';

/** The `:id` of a turn's path. */
export class TurnIdPipe implements PipeTransform<string, string> {
  transform(id: string): string {
    if (parseId('t', id) === undefined) {
      throw new HiveError(
        'invalid_request',
        `${JSON.stringify(clip(id, 40))} is not a turn's id; they are like "t12"`,
      );
    }
    return id;
  }
}
