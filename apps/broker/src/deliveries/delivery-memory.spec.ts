import { beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { DeliveryMemory } from './delivery-memory.js';
import type { DeliveryRecord } from './delivery.js';

const AGENT = 7;

const row = (message: number, change: Partial<DeliveryRecord> = {}): DeliveryRecord => ({
  message,
  recipient: AGENT,
  state: 'leased',
  priority: 1,
  sender: 3,
  limited: 1,
  eager: 0,
  broadcast: 0,
  hand_outs: 1,
  forgiven: 0,
  attempts: 0,
  turn: null,
  session: 's',
  written: 0,
  not_before: 0,
  held: 0,
  since: 0,
  reason: null,
  ...change,
});

let memory: DeliveryMemory;
beforeEach(() => {
  memory = new DeliveryMemory();
});

describe(`${verifies('P1', 'P12')}what is remembered of deliveries`, () => {
  it('has leased rows in the order of their messages, each recipient its own', () => {
    memory.load([row(9), row(4), row(5, { recipient: 8 })]);
    expect(memory.leasedTo(AGENT).map(({ message }) => message)).toEqual([4, 9]);
    expect(memory.leasedTo(8)).toHaveLength(1);
    expect(memory.leasedTo(1)).toEqual([]);
  });

  it('takes a hand-out for written by its own number only, and tells the table once', () => {
    memory.lease(row(4, { hand_outs: 2 }));
    expect(memory.markWritten(4, AGENT, 1)).toBe(false);
    expect(memory.leasedTo(AGENT)).toMatchObject([{ written: 0 }]);
    expect(memory.markWritten(4, AGENT, 2)).toBe(true);
    expect(memory.leasedTo(AGENT)).toMatchObject([{ written: 1 }]);
    expect(memory.takeWritten()).toMatchObject([{ message: 4, hand_outs: 2 }]);
    expect(memory.takeWritten()).toEqual([]);
  });

  it('has nothing for the table of a row that is over, which carries its mark itself', () => {
    memory.lease(row(4));
    memory.markWritten(4, AGENT, 1);
    expect(memory.drop(4, AGENT)).toMatchObject({ written: 1 });
    expect(memory.takeWritten()).toEqual([]);
    expect(memory.leasedTo(AGENT)).toEqual([]);
    expect(memory.drop(4, AGENT)).toBeUndefined();
  });

  it('forgets the newest queued row as soon as it is touched, and no other', () => {
    memory.queue(row(4, { state: 'queued' }));
    memory.drop(3, AGENT);
    expect(memory.newestQueued(AGENT)).toMatchObject({ message: 4 });
    memory.drop(4, AGENT);
    expect(memory.newestQueued(AGENT)).toBeUndefined();
  });

  it('begins anew with what the table has after a rollback', () => {
    memory.lease(row(4));
    memory.markWritten(4, AGENT, 1);
    memory.queue(row(6, { state: 'queued' }));
    memory.load([row(5)]);
    expect(memory.leasedTo(AGENT)).toMatchObject([{ message: 5 }]);
    expect(memory.newestQueued(AGENT)).toBeUndefined();
    expect(memory.takeWritten()).toEqual([]);
  });
});
