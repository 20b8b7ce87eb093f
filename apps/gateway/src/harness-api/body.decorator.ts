import { Body, type PipeTransform } from '@nestjs/common';

import { validate } from '#libs/requests';

class DtoPipe implements PipeTransform<unknown, object> {
  constructor(private readonly dto: new () => object) {}

  transform(input: unknown): object {
    return validate(this.dto, input);
  }
}

/** The body as a checked instance of the DTO; unknown fields are refused. */
export function CheckedBody(dto: new () => object): ParameterDecorator {
  return Body(new DtoPipe(dto));
}
