import { describe, expect, it } from 'vitest';

import type { AgentRow, MessageRow, TurnEvent } from '#libs/protocol';

import { verifies } from '../../../../../test/requirements/verifies.js';
import {
  applyEvent,
  bounded,
  fromSnapshot,
  NO_ROWS,
  withMessages,
  withTurnEvents,
} from './rows.js';

function message(id: string, version: number, body = 'text'): MessageRow {
  return {
    version,
    id,
    thread_id: id,
    from: 'manager',
    from_kind: 'manager',
    to: 'operator',
    body,
    sent_at: '2026-01-01T00:00:00.000Z',
    priority: 'normal',
    broadcast: false,
    hop: 0,
    kind: 'message',
    deliveries: [],
  };
}

function agent(name: string, version: number): AgentRow {
  return {
    version,
    agent_id: '1',
    name,
    role: 'agent',
    driver: 'command',
    model: null,
    container: 'process',
    state: 'running',
    turn_state: 'idle',
    status_text: '',
    unread: 0,
    reminders: { pending: 0, delivered_24h: 0, failed: 0 },
    context_tokens: null,
    cost_today_usd: 0,
    deployed_sha: null,
    needs_login: false,
    needs_update: false,
    harness_seen_at: null,
    reason: '',
  };
}

function said(n: number): TurnEvent {
  return { n, at: '2026-01-01T00:00:00.000Z', kind: 'text', text: String(n) };
}

describe(verifies('7.1', 'P38') + 'the rows of the page', () => {
  it('keep the higher version, whatever order rows come in', () => {
    const newer = withMessages(NO_ROWS, [message('m1', 5, 'newer')]);
    expect(withMessages(newer, [message('m1', 4, 'older')]).messages['m1']?.body).toBe('newer');
    const event = {
      seq: '1-1',
      kind: 'message_sent',
      message: message('m1', 6, 'newest'),
    } as const;
    expect(applyEvent(newer, event).messages['m1']?.body).toBe('newest');
    const late = {
      seq: '1-2',
      kind: 'delivery_changed',
      message: message('m1', 4, 'older'),
    } as const;
    expect(applyEvent(newer, late).messages['m1']?.body).toBe('newer');
  });

  it('do not bring back an agent by a row from before it was removed', () => {
    const rows = applyEvent(NO_ROWS, { seq: '1-1', kind: 'agent_changed', agent: agent('a', 3) });
    const gone = applyEvent(rows, {
      seq: '1-2',
      kind: 'agent_removed',
      agent_id: '1',
      name: 'a',
      version: 4,
    });
    expect(gone.agents).toEqual({});
    const late = applyEvent(gone, { seq: '1-3', kind: 'agent_changed', agent: agent('a', 2) });
    expect(late.agents).toEqual({});
  });

  it('hold each live event of a turn once and in order, also when history comes after them', () => {
    const live = withTurnEvents(NO_ROWS, 't1', [said(4), said(5)]);
    const whole = withTurnEvents(live, 't1', [said(0), said(1), said(2), said(3), said(4)]);
    expect(whole.turn_events['t1']?.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5]);
    const again = withTurnEvents(whole, 't1', [said(5), said(6)]);
    expect(again.turn_events['t1']?.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('start over from a snapshot, but keep the live events that are here', () => {
    const before = withTurnEvents(withMessages(NO_ROWS, [message('m1', 1)]), 't1', [said(0)]);
    const after = fromSnapshot(
      {
        seq: '2-0',
        agents: [agent('a', 1)],
        operations: [],
        messages: [],
        turns: [],
        questions: [],
        reminders_failed: [],
        needs_you: [],
      },
      before,
    );
    expect(after.messages).toEqual({});
    expect(Object.keys(after.agents)).toEqual(['1']);
    expect(after.turn_events['t1']).toHaveLength(1);
  });

  it('let the oldest messages go when there are too many', () => {
    const many = Array.from({ length: 5600 }, (_, at) => message(`m${at + 1}`, 1));
    const ids = Object.keys(bounded(withMessages(NO_ROWS, many)).messages);
    expect(ids).toHaveLength(5000);
    expect(ids).toContain('m5600');
    expect(ids).not.toContain('m600');
  });
});
