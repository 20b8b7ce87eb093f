import { describe, expect, it } from 'vitest';

import { newRequestId } from '#libs/ipc';

import { verifies } from '../../../test/requirements/verifies.js';

describe(`${verifies('P11')}request ids`, () => {
  it('are UUIDs of version 7 that carry their time', () => {
    const now = Date.UTC(2026, 10, 22, 12);
    const id = newRequestId(now);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(now);
  });

  it('sort by time and never repeat', () => {
    const ids = Array.from({ length: 1000 }, (_, ms) => newRequestId(1_700_000_000_000 + ms));
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids.map((id) => id.slice(14))).size).toBe(1000);
  });
});
