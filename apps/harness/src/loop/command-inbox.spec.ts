import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { CommandInbox } from './command-inbox.js';

describe(verifies('P18') + 'command inbox', () => {
  it('gives each command once and confirms it until the hive has heard', () => {
    const inbox = new CommandInbox();
    const compact = { id: 'c1', kind: 'compact' } as const;
    const cancel = { id: 'c2', kind: 'cancel' } as const;
    expect(inbox.take([compact])).toEqual([compact]);
    expect(inbox.take([compact, cancel])).toEqual([cancel]);
    expect(inbox.toConfirm()).toEqual(['c1', 'c2']);
    inbox.confirmed(['c1']);
    expect(inbox.toConfirm()).toEqual(['c2']);
    expect(inbox.take([compact, cancel])).toEqual([]);
    expect(inbox.toConfirm()).toEqual(['c2']);
  });
});
