import { describe, expect, it } from 'vitest';

import type { MessageRow } from '#libs/protocol';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { sentAs, stillOutgoing, type Outgoing } from './outbox.js';

function outgoing(key: string, to: string[], rest: Partial<Outgoing> = {}): Outgoing {
  return { key, to, body: 'hello', created_at: 0, state: 'sending', ...rest };
}

function row(id: string, to: string, rest: Partial<MessageRow> = {}): MessageRow {
  return {
    version: 1,
    id,
    thread_id: id,
    from: 'operator',
    from_kind: 'operator',
    to,
    body: 'hello',
    sent_at: '2026-01-01T00:00:00.000Z',
    priority: 'normal',
    broadcast: to === '*',
    hop: 0,
    kind: 'message',
    deliveries: [],
    ...rest,
  };
}

describe(
  verifies('7.6', '1.6') + 'a message on its way, when its event is faster than the answer',
  () => {
    it.each([
      ['one name', ['scout'], 'scout'],
      ['a list', ['scout', 'miner'], 'scout, miner'],
      ['a list in another order', ['miner', 'scout'], 'scout, miner'],
      ['everybody', ['*'], '*'],
    ])('is known again by %s', (_what, to, written) => {
      expect(sentAs([outgoing('k1', to)], row('m1', written))).toBe('k1');
    });

    it.each([
      ['a part of the list', row('m1', 'scout')],
      ['another list', row('m1', 'scout, manager')],
      ['other words', row('m1', 'scout, miner', { body: 'bye' })],
      ['an answer to something', row('m1', 'scout, miner', { in_reply_to: 'm0' })],
    ])('is not taken for %s', (_what, message) => {
      expect(sentAs([outgoing('k1', ['scout', 'miner'])], message)).toBeUndefined();
    });

    it('is the oldest of equal ones, each once', () => {
      const first = outgoing('k1', ['scout'], { state: 'stored', id: 'm1' });
      const both = [first, outgoing('k2', ['scout'])];
      expect(sentAs(both, row('m2', 'scout'))).toBe('k2');
      expect(sentAs(both, row('m1', 'scout'))).toBeUndefined();
    });

    it('goes once its row is there, and stays when it failed', () => {
      const sent = outgoing('k1', ['scout'], { state: 'stored', id: 'm1' });
      const failed = outgoing('k2', ['scout'], { state: 'failed', error: 'no' });
      expect(stillOutgoing([sent, failed], { m1: row('m1', 'scout') })).toEqual([failed]);
      expect(stillOutgoing([sent], {})).toEqual([sent]);
    });
  },
);
