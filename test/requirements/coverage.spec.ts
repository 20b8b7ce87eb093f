import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { collectCitations, idsIn } from './citations.js';
import { REQUIREMENTS } from './requirements.js';

const root = path.resolve(import.meta.dirname, '../..');

describe('requirements manifest', () => {
  it('has one entry per requirement, of every section', () => {
    const ids = REQUIREMENTS.map((requirement) => requirement.id);
    expect(new Set(ids).size).toBe(ids.length);
    const perSection = [15, 4, 7, 10, 8, 6, 6, 7, 3, 4];
    const product = perSection.flatMap((count, section) =>
      Array.from({ length: count }, (_, index) => `${section + 1}.${index + 1}`),
    );
    const rules = Array.from({ length: 38 }, (_, index) => `P${index + 1}`);
    const invariants = Array.from({ length: 13 }, (_, index) => `I${index + 1}`);
    expect(ids.toSorted()).toEqual([...product, ...rules, ...invariants].toSorted());
  });

  it('has a test for everything that is built, wholly or partly', () => {
    const cited = new Set(collectCitations(root).flatMap((citation) => citation.ids));
    const untested = REQUIREMENTS.filter(
      (requirement) => requirement.state !== 'planned' && !cited.has(requirement.id),
    );
    expect(untested.map((requirement) => `${requirement.id} ${requirement.what}`)).toEqual([]);
  });

  it('knows every requirement that a test cites', () => {
    const known = new Set(REQUIREMENTS.map((requirement) => requirement.id));
    const unknown = collectCitations(root).flatMap(({ file, ids }) =>
      ids.filter((id) => !known.has(id)).map((id) => `${file}: ${id}`),
    );
    expect(unknown).toEqual([]);
  });

  it('reads the ids of a call', () => {
    expect(idsIn("describe(verifies('1.2', 'P4') + 'x')")).toEqual(['1.2', 'P4']);
  });
});
