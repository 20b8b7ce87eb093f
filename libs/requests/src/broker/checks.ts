import { Matches, ValidateBy, ValidateIf, type ValidationOptions } from 'class-validator';

import { assertStorableText, HiveError } from '#libs/protocol';

import { SHA256_HEX } from '../harness/shapes.js';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** sha-256 of a token as 64 hexadecimal digits. */
export function isSha256(value: unknown): value is string {
  return typeof value === 'string' && SHA256_HEX.test(value);
}

/** A UUID v7 in lower case: its text sorts by its time. */
export function isRequestId(value: unknown): value is string {
  return typeof value === 'string' && UUID_V7.test(value);
}

/** The property is the sha-256 of a token. */
export function IsSha256(): PropertyDecorator {
  return Matches(SHA256_HEX, {
    message: '$property must be a sha-256 as 64 lower-case hex digits',
  });
}

/** The property is a request id: a UUID v7. */
export function IsRequestId(): PropertyDecorator {
  return Matches(UUID_V7, { message: '$property must be a UUID v7 in lower case' });
}

/** The property may be left out, and is nothing else than what its other checks say, also not null. */
export function MayBeLeftOut(): PropertyDecorator {
  return ValidateIf((_owner, value) => value !== undefined);
}

/** Text without NUL and without lone surrogates (P33). */
export function isStorable(text: string): boolean {
  return problemOf(text, '') === undefined;
}

/** The property is text without NUL and without lone surrogates (P33). */
export function IsStorable(options?: ValidationOptions): PropertyDecorator {
  const rule: Parameters<typeof ValidateBy>[0] = {
    name: 'isStorable',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && isStorable(value),
      defaultMessage: (args) => {
        const value: unknown = args?.value;
        const name = args?.property ?? 'it';
        return (typeof value === 'string' && problemOf(value, name)) || `${name} must be text`;
      },
    },
  };
  return ValidateBy(rule, options);
}

/** The property is a text, or a list of 1 to `most` texts. */
export function IsTextOrTexts(most: number): PropertyDecorator {
  return ValidateBy({
    name: 'isTextOrTexts',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'string' ||
        (Array.isArray(value) &&
          value.length > 0 &&
          value.length <= most &&
          value.every((entry) => typeof entry === 'string')),
      defaultMessage: (args) =>
        `${args?.property ?? 'it'} must be text, or a list of 1 to ${most} texts`,
    },
  });
}

function problemOf(text: string, name: string): string | undefined {
  try {
    assertStorableText(text, name);
    return undefined;
  } catch (error) {
    return (error as HiveError).message;
  }
}
