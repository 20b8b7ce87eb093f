import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';

import { HiveError } from '#libs/protocol';
import { validate } from '#libs/requests';

import { NothingDto } from './nothing.dto.js';

/** Levels of nesting in a body: a config needs five; class-transformer recurses. */
const DEEPEST = 32;

/** Checks each body and query against its class; unknown fields are refused (INTERFACES "Dashboard HTTP"). */
@Injectable()
export class ValidationPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if ((type !== 'body' && type !== 'query') || !isRequestClass(metatype)) return value;
    if (metatype === NothingDto) return assertNothing(value);
    assertDepth(value);
    return validate(metatype, value ?? {});
  }
}

/** class-validator refuses every object of a class without fields, so this one is checked by hand. */
function assertNothing(value: unknown): NothingDto {
  const fields = Object.keys(value ?? {});
  if (fields.length === 0) return new NothingDto();
  throw new HiveError('unknown_field', `unknown field "${fields[0]}": this request has no content`);
}

function isRequestClass(type: ArgumentMetadata['metatype']): type is new () => object {
  return type !== undefined && type !== Object && type !== String && type !== Number;
}

/** Level by level, so that a value nested a hundred thousand times cannot exhaust the stack here either. */
function assertDepth(value: unknown): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST) {
      throw new HiveError('invalid_request', `the body is nested deeper than ${DEEPEST} levels`);
    }
    level = level
      .filter((item) => typeof item === 'object' && item !== null)
      .flatMap((item) => Object.values(item) as unknown[]);
  }
}
