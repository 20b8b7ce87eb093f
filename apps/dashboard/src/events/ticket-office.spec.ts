import { describe, expect, it } from 'vitest';

import { ManualClock } from '#libs/service';

import { verifies } from '../../../../test/requirements/verifies.js';
import { TicketOffice } from './ticket-office.js';

describe(verifies('P30') + 'tickets', () => {
  it('are good once, for 30 seconds, whatever the wall clock does', () => {
    const clock = new ManualClock();
    const office = new TicketOffice(clock);
    const [one, two, three] = [office.issue('s'), office.issue(undefined), office.issue('s')];
    expect(Date.parse(one.expires_at) - clock.now()).toBe(30_000);
    expect(office.redeem(one.ticket)).toEqual({ sessionTag: 's' });
    expect(office.redeem(one.ticket)).toBeUndefined();
    clock.jump(-3_600_000);
    clock.advance(29_999);
    expect(office.redeem(two.ticket)).toEqual({ sessionTag: undefined });
    clock.advance(1);
    expect(office.redeem(three.ticket)).toBeUndefined();
    expect(office.redeem('made up')).toBeUndefined();
  });

  it('are bounded in number: the oldest goes first', () => {
    const office = new TicketOffice(new ManualClock());
    const [first, second] = [office.issue('s'), office.issue('s')];
    for (let more = 0; more < 999; more += 1) office.issue('s');
    expect(office.redeem(first.ticket)).toBeUndefined();
    expect(office.redeem(second.ticket)).toBeDefined();
  });
});
