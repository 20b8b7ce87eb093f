import { describe, expect, it } from 'vitest';

import type { Delivery, MessageRow } from '#libs/protocol';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { threadsOf } from './threads.js';
import { deliveryText, waitsInWords } from './words.js';

function message(
  id: string,
  thread: string,
  from: string,
  to: string,
  state: Delivery['state'] = 'acked',
): MessageRow {
  return {
    version: 1,
    id,
    thread_id: thread,
    from,
    from_kind: from === 'operator' ? 'operator' : 'agent',
    to,
    body: id,
    sent_at: '2026-01-01T00:00:00.000Z',
    priority: 'normal',
    broadcast: false,
    hop: 0,
    kind: 'message',
    deliveries: [{ to, state, since: '2026-01-01T00:00:00.000Z', attempt: 1, hand_outs: 0 }],
  };
}

function waits(reason: Delivery['waits_for']): Delivery {
  return {
    to: 'a',
    state: 'queued',
    since: '',
    attempt: 1,
    hand_outs: 0,
    ...(reason ? { waits_for: reason } : {}),
  };
}

describe(verifies('1.5', '1.12') + 'conversations', () => {
  it('put messages in the order of the writer, and the newest conversation first', () => {
    const threads = threadsOf([
      message('m10', 'm2', 'a', 'b'),
      message('m9', 'm9', 'operator', 'a'),
      message('m2', 'm2', 'b', 'a'),
    ]);
    expect(threads.map(({ id }) => id)).toEqual(['m2', 'm9']);
    expect(threads[0]?.messages.map(({ id }) => id)).toEqual(['m2', 'm10']);
    expect(threads[0]?.participants).toEqual(['b', 'a']);
  });

  it('count what waits for agents apart from what waits for the operator', () => {
    const [thread] = threadsOf([
      message('m1', 'm1', 'a', 'operator', 'queued'),
      message('m2', 'm1', 'a', 'b', 'queued'),
      message('m3', 'm1', 'a', 'c', 'dead'),
    ]);
    expect(thread?.unread.map(({ id }) => id)).toEqual(['m1']);
    expect(thread?.waiting).toBe(1);
    expect(thread?.dead).toBe(1);
  });

  it('count every delivery of a broadcast, whose row shows a part of them', () => {
    const all = message('m1', 'm1', 'operator', '*', 'dead');
    const [thread] = threadsOf([
      { ...all, broadcast: true, delivery_counts: { acked: 900, queued: 97, dead: 3 } },
      message('m2', 'm1', 'scout', 'operator'),
    ]);
    expect([thread?.waiting, thread?.dead, thread?.everybody]).toEqual([97, 3, true]);
    expect(thread?.names).toEqual(['operator', '*', 'scout']);
    expect(thread?.messages).toHaveLength(2);
  });

  it('say of a list whom it was for', () => {
    const [thread] = threadsOf([message('m1', 'm1', 'operator', 'scout, miner')]);
    expect(thread?.names).toEqual(['operator', 'scout', 'miner']);
    expect(thread?.everybody).toBe(false);
  });

  it('say why many deliveries wait, the most frequent reason first', () => {
    expect(waitsInWords([waits('busy'), waits('stopped'), waits('stopped')])).toBe(
      '2 × agent is stopped, 1 × agent is in a turn',
    );
    expect(waitsInWords([{ ...waits(undefined), state: 'acked' }])).toBe('');
  });

  it('say why a delivery waits and why it ended', () => {
    const delivery = { to: 'a', since: '', attempt: 1, hand_outs: 0 };
    expect(deliveryText({ ...delivery, state: 'queued', waits_for: 'stopped' })).toBe(
      'agent is stopped',
    );
    expect(deliveryText({ ...delivery, state: 'dead', reason: 'five turns failed' })).toBe(
      'given up: five turns failed',
    );
  });
});
