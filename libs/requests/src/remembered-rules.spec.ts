import { getMetadataStorage, IsInt, IsString } from 'class-validator';
import { describe, expect, it, vi } from 'vitest';

import { rememberRules } from './remembered-rules.js';

class Base {
  @IsString() name: string;
}
class Derived extends Base {
  @IsInt() n: number;
}

type Storage = ReturnType<typeof getMetadataStorage>;

/** The real rules behind functions that count how often they are asked for. */
function countedStorage() {
  const real = getMetadataStorage();
  const look = vi.fn<Storage['getTargetValidationMetadatas']>((...args) =>
    real.getTargetValidationMetadatas(...args),
  );
  const storage = {
    getTargetValidationMetadatas: look,
    groupByPropertyName: real.groupByPropertyName.bind(real),
  } as unknown as Storage;
  rememberRules(storage);
  const rules = (target: new () => object, groups?: string[]) =>
    storage
      .getTargetValidationMetadatas(target, '', false, false, groups)
      .map(({ propertyName }) => propertyName);
  return { storage, look, rules };
}

describe('the rules of a class', () => {
  it('are looked up once, each class its own, inherited ones with them', () => {
    const { look, rules } = countedStorage();
    expect(rules(Base)).toEqual(['name']);
    expect(rules(Derived).toSorted()).toEqual(['n', 'name']);
    expect(rules(Base)).toEqual(['name']);
    expect(rules(Derived).toSorted()).toEqual(['n', 'name']);
    expect(look).toHaveBeenCalledTimes(2);
  });

  it('are looked up each time where they depend on groups', () => {
    const { look, rules } = countedStorage();
    rules(Base, ['a']);
    rules(Base, ['b']);
    expect(look).toHaveBeenCalledTimes(2);
  });

  it('are grouped by their fields once', () => {
    const { storage } = countedStorage();
    const rules = storage.getTargetValidationMetadatas(Derived, '', false, false);
    const groups = storage.groupByPropertyName(rules);
    expect(Object.keys(groups).toSorted()).toEqual(['n', 'name']);
    expect(storage.groupByPropertyName(rules)).toBe(groups);
  });
});
