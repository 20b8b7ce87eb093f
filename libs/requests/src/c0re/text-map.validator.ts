import { ValidateBy } from 'class-validator';

/** Accepts an object whose values are all text, with at most `maxEntries` of them. */
export function IsTextMap({ maxEntries }: { maxEntries: number }): PropertyDecorator {
  return ValidateBy({
    name: 'isTextMap',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'object' &&
        value !== null &&
        !Array.isArray(value) &&
        Object.keys(value).length <= maxEntries &&
        Object.values(value).every((text) => typeof text === 'string'),
      defaultMessage: (args) =>
        `${args?.property ?? 'the field'} must be an object of at most ${maxEntries} texts by name`,
    },
  });
}
