import { describe, expect, it } from 'vitest';

import type { DeliveryRow, DeliveryState, HiveEvent, MessageRow } from '#libs/protocol';

import { verifies } from '../../../../../../test/requirements/verifies.js';
import { stillDead, stillOpen, touchesDead, touchesOpen } from './open-events.js';

const AT = '2026-01-01T00:00:00.000Z';

function message(to: string, state: DeliveryState, rest: Partial<MessageRow> = {}): MessageRow {
  return {
    version: 5,
    id: 'm1',
    thread_id: 'm1',
    from: 'manager',
    from_kind: 'manager',
    to,
    body: 'hi',
    sent_at: AT,
    priority: 'normal',
    broadcast: false,
    hop: 0,
    kind: 'message',
    deliveries: [{ to, state, since: AT, attempt: 1, hand_outs: 0 }],
    ...rest,
  };
}

function changed(row: MessageRow): HiveEvent {
  return { seq: '1-1', kind: 'delivery_changed', message: row };
}

describe(verifies('2.4', '7.4', '1.2') + 'what is open for an agent', () => {
  it.each([
    ['a delivery to it', changed(message('scout', 'acked')), true],
    ['its own message', changed(message('miner', 'acked', { from: 'scout' })), true],
    ['a message of others', changed(message('miner', 'acked')), false],
    [
      'a broadcast of which a part is shown',
      changed(message('*', 'acked', { broadcast: true, delivery_counts: { acked: 70 } })),
      true,
    ],
  ])('may change by %s: %s', (_what, event, touches) => {
    expect(touchesOpen(event, 'scout')).toBe(touches);
    expect(touchesDead(event, 'scout')).toBe(touches);
  });

  it.each(['queued', 'leased'] as const)('keeps a message that is %s', (state) => {
    const open = { kind: 'message', id: 'm1', from: 'manager', to: 'scout', state: 'queued' };
    const whole = { ...open, thread_id: 'm1', body: 'hi', age_seconds: 1 } as const;
    expect(stillOpen([whole as never], { m1: message('scout', state) }, 'scout')).toMatchObject([
      { id: 'm1', state },
    ]);
    expect(stillOpen([whole as never], {}, 'scout')).toHaveLength(1);
    for (const over of ['acked', 'dead', 'cancelled'] as const) {
      expect(stillOpen([whole as never], { m1: message('scout', over) }, 'scout')).toEqual([]);
    }
  });

  it('does not keep a dead delivery that a newer row has alive again', () => {
    const dead: DeliveryRow = {
      version: 5,
      id: 'm1.3',
      to: 'scout',
      state: 'dead',
      since: AT,
      attempt: 5,
      hand_outs: 5,
      message: message('scout', 'dead'),
    };
    expect(stillDead([dead], {})).toEqual([dead]);
    expect(stillDead([dead], { m1: message('scout', 'dead') })).toEqual([dead]);
    expect(stillDead([dead], { m1: message('scout', 'queued', { version: 6 }) })).toEqual([]);
    expect(stillDead([dead], { m1: message('scout', 'queued', { version: 4 }) })).toEqual([dead]);
  });
});
