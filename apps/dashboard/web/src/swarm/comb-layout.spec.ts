import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { CELL, combPlaces } from './comb-layout.js';

describe(verifies('7.3') + 'the comb', () => {
  it('gives every cell a place of its own that touches the others without overlap', () => {
    const places = combPlaces(61);
    const width = CELL * Math.sqrt(3);
    for (const [at, one] of places.entries()) {
      for (const other of places.slice(at + 1)) {
        expect(Math.hypot(one.x - other.x, one.y - other.y)).toBeGreaterThan(width);
      }
    }
    const far = Math.max(...places.map(({ x, y }) => Math.hypot(x, y)));
    expect(far).toBeLessThan(5 * (width + 6));
  });
});
