import { Type } from 'class-transformer';
import { IsInt, IsString, ValidateNested } from 'class-validator';
import { describe, expect, it } from 'vitest';

import { HiveError } from '#libs/protocol';

import { validate } from './validate.js';

class Inner {
  @IsInt() n: number;
}
class Outer {
  @IsString() name: string;
  @ValidateNested() @Type(() => Inner) inner: Inner;
}

function refusal(input: unknown): HiveError {
  try {
    validate(Outer, input);
  } catch (error) {
    return error as HiveError;
  }
  throw new Error('nothing was refused');
}

describe('validate', () => {
  it('gives an instance back', () => {
    expect(validate(Outer, { name: 'a', inner: { n: 1 } })).toEqual({ name: 'a', inner: { n: 1 } });
  });

  it('refuses unknown fields by name, also nested ones', () => {
    expect(refusal({ name: 'a', inner: { n: 1 }, x: 1 })).toMatchObject({
      code: 'unknown_field',
      message: 'unknown field "x"',
    });
    expect(refusal({ name: 'a', inner: { n: 1, y: 1 } }).message).toBe('unknown field "inner.y"');
  });

  it('names every bad field', () => {
    const error = refusal({ name: 1, inner: { n: 'x' } });
    expect(error.code).toBe('invalid_request');
    expect(error.message).toMatch(/name must be a string.*inner.*n must be an integer/);
  });

  it.each([null, undefined, [], 'text', 3])('refuses %j as a request', (input) => {
    expect(refusal(input).message).toMatch(/must be a JSON object/);
  });
});
