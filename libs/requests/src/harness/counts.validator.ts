import { ValidateBy, type ValidationOptions } from 'class-validator';

/** A JSON object whose values are whole numbers from 0, with at most `most` keys. */
export function IsCounts(most: number, options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isCounts',
      validator: {
        validate: (value: unknown) => isCounts(value, most),
        defaultMessage: (args) =>
          `${args?.property ?? 'it'} must be an object of at most ${most} names with whole numbers from 0`,
      },
    },
    options,
  );
}

function isCounts(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const counts = Object.values(value);
  return (
    counts.length <= most && counts.every((count) => Number.isSafeInteger(count) && count >= 0)
  );
}
