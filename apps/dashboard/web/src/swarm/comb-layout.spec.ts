import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { CELL, comb } from './comb-layout.js';

describe(verifies('7.3') + 'the comb', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 40])('of %i gives every cell a place of its own', (count) => {
    const { taken, empty } = comb(count, 60);
    expect(taken).toHaveLength(count);
    const places = [...taken, ...empty];
    const width = CELL * Math.sqrt(3);
    for (const [at, one] of places.entries()) {
      for (const other of places.slice(at + 1)) {
        expect(Math.hypot(one.x - other.x, one.y - other.y)).toBeGreaterThan(width);
      }
    }
    const far = Math.max(...places.map(({ x, y }) => Math.hypot(x, y)));
    expect(far).toBeLessThan(7 * (width + 6));
  });
});
