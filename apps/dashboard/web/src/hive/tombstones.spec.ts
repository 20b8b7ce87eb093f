import { describe, expect, it } from 'vitest';

import type { HiveEvent, TombstoneRow } from '#libs/protocol';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { applyEvent, NO_ROWS } from './rows.js';

const tombstone = (version: number): TombstoneRow => ({
  version,
  agent_id: '3',
  name: 'scout',
  role: 'agent',
  driver: 'command',
  container: 'process',
  deployed_sha: null,
  created_at: '2026-01-01T10:00:00.000Z',
  destroyed_at: '2026-01-01T11:00:00.000Z',
});
const added = (version: number): HiveEvent => ({
  seq: '1-1',
  kind: 'tombstone_added',
  tombstone: tombstone(version),
});
const removed = (version: number): HiveEvent => ({
  seq: '1-2',
  kind: 'tombstone_removed',
  agent_id: '3',
  name: 'scout',
  version,
});
const after = (...events: HiveEvent[]) => events.reduce(applyEvent, NO_ROWS).tombstones;

describe(verifies('7.1', 'P38') + 'tombstones in the rows of the page', () => {
  it('come and go by events', () => {
    expect(after(added(1))).toEqual({ '3': tombstone(1) });
    expect(after(added(1), removed(2))).toEqual({});
    expect(after(added(1), removed(2), added(3))).toEqual({ '3': tombstone(3) });
  });

  it('heed the higher version, in whatever order it comes', () => {
    expect(after(removed(2), added(1))).toEqual({});
    expect(after(added(3), removed(2))).toEqual({ '3': tombstone(3) });
  });
});
