import { ValidateBy, type ValidationOptions } from 'class-validator';

/** Any JSON value that takes at most `bytes` bytes when it is written. */
export function IsJsonWithin(bytes: number, options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isJsonWithin',
      validator: {
        validate: (value: unknown) =>
          Buffer.byteLength(JSON.stringify(value) ?? '', 'utf8') <= bytes,
        defaultMessage: (args) =>
          `${args?.property ?? 'it'} must be at most ${bytes} bytes as JSON`,
      },
    },
    options,
  );
}
