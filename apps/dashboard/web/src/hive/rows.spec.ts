import { describe, expect, it } from 'vitest';

import type {
  AgentRow,
  HiveEvent,
  MessageRow,
  NeedsYou,
  QuestionRow,
  ReminderRow,
  StateSnapshot,
  TurnEvent,
} from '#libs/protocol';

import { verifies } from '../../../../../test/requirements/verifies.js';
import {
  applyEvent,
  bounded,
  fromSnapshot,
  NO_ROWS,
  withMessages,
  withQuestions,
  withReminders,
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

function question(version: number, state: QuestionRow['state'] = 'open', id = 'q1'): QuestionRow {
  return {
    version,
    id,
    asker: 'scout',
    target: null,
    question: 'Which one?',
    options: [],
    multi: false,
    state,
    asked_at: '2026-01-01T00:00:00.000Z',
    deadline_at: null,
    answer: null,
    answered_by: null,
    resolved_at: null,
  };
}

function reminder(version: number, state: ReminderRow['state'], id = 'r1'): ReminderRow {
  return {
    version,
    id,
    owner: 'scout',
    message: 'look again',
    due_at: '2026-01-01T00:00:00.000Z',
    every: null,
    every_tz: null,
    state,
    occurrence: 1,
    attempt_count: 0,
    last_error: null,
    last_attempt_at: null,
    created_at: '2026-01-01T00:00:00.000Z',
    file_path: null,
  };
}

function waits(id: string): NeedsYou {
  return {
    kind: 'question',
    key: `question:${id}`,
    id,
    agent: 'scout',
    title: 'Which one?',
    since: '2026-01-01T00:00:00.000Z',
    count: 1,
  };
}

const SNAPSHOT: StateSnapshot = {
  approvals: [],
  meta_inputs: [],
  seq: '2-0',
  agents: [],
  operations: [],
  tombstones: [],
  messages: [],
  turns: [],
  questions: [question(4)],
  reminders_failed: [reminder(4, 'failed')],
  needs_you: [waits('q1')],
};

function listed(version: number, ...ids: string[]): HiveEvent {
  return { seq: '2-1', kind: 'needs_you_changed', version, needs_you: ids.map(waits) };
}

describe(
  verifies('7.1', '7.2', '2.1', '3.7', 'P38') + 'what waits, in the rows of the page',
  () => {
    it('starts from the snapshot and is bound to it', () => {
      const rows = fromSnapshot(SNAPSHOT, NO_ROWS);
      expect(Object.keys(rows.questions)).toEqual(['q1']);
      expect(Object.keys(rows.reminders)).toEqual(['r1']);
      expect(rows.needs_you.list.map(({ id }) => id)).toEqual(['q1']);
      expect(rows.since).toBe('2-0');
      // A snapshot replaces what was there: what it does not hold is over.
      const empty = { ...SNAPSHOT, questions: [], reminders_failed: [], needs_you: [] };
      const again = fromSnapshot({ ...empty, seq: '3-0' }, rows);
      expect([again.questions, again.reminders, again.needs_you.list]).toEqual([{}, {}, []]);
    });

    it.each([
      ['a resolution', 'question_resolved', question(5, 'answered'), 'answered'],
      ['a late row of its beginning', 'question_added', question(3), 'open'],
      ['the same row again', 'question_added', question(4), 'open'],
    ] as const)('takes %s of a question by its version', (_what, kind, row, state) => {
      const rows = fromSnapshot(SNAPSHOT, NO_ROWS);
      const after = applyEvent(rows, { seq: '2-1', kind, question: row });
      expect(after.questions['q1']).toMatchObject({ state, version: Math.max(4, row.version) });
    });

    it('does not open a resolved question by a row from before', () => {
      const resolved = applyEvent(NO_ROWS, {
        seq: '1-1',
        kind: 'question_resolved',
        question: question(6, 'expired'),
      });
      const late = applyEvent(resolved, {
        seq: '1-2',
        kind: 'question_added',
        question: question(5),
      });
      expect(late.questions['q1']?.state).toBe('expired');
      expect(withQuestions(late, [question(2)]).questions['q1']?.state).toBe('expired');
    });

    it.each([
      [5, 'pending', 'pending'],
      [4, 'cancelled', 'failed'],
      [3, 'pending', 'failed'],
    ] as const)('of version %d a %s reminder leaves it %s', (version, state, left) => {
      const rows = fromSnapshot(SNAPSHOT, NO_ROWS);
      const after = applyEvent(rows, {
        seq: '2-1',
        kind: 'reminder_changed',
        reminder: reminder(version, state),
      });
      expect(after.reminders['r1']?.state).toBe(left);
    });

    it('does not let a cancelled reminder fail again, from an event or from a list that was read', () => {
      const cancelled = applyEvent(NO_ROWS, {
        seq: '1-1',
        kind: 'reminder_changed',
        reminder: reminder(7, 'cancelled'),
      });
      const late = applyEvent(cancelled, {
        seq: '1-2',
        kind: 'reminder_changed',
        reminder: reminder(6, 'failed'),
      });
      expect(late.reminders['r1']?.state).toBe('cancelled');
      expect(withReminders(late, [reminder(6, 'failed')]).reminders['r1']?.state).toBe('cancelled');
    });

    it('takes the first list behind a snapshot whatever its version, then only newer ones', () => {
      let rows = fromSnapshot(SNAPSHOT, NO_ROWS);
      rows = applyEvent(rows, listed(0, 'q2'));
      expect(rows.needs_you.list.map(({ id }) => id)).toEqual(['q2']);
      rows = applyEvent(rows, listed(8, 'q2', 'q3'));
      expect(applyEvent(rows, listed(7))).toBe(rows);
      expect(applyEvent(rows, listed(8))).toBe(rows);
      expect(applyEvent(rows, listed(9)).needs_you).toEqual({ version: 9, list: [] });
    });

    it('keeps all that wait and lets the oldest of the others go', () => {
      const ended = Array.from({ length: 700 }, (_, at) => question(1, 'answered', `q${at + 2}`));
      const done = Array.from({ length: 700 }, (_, at) => reminder(1, 'delivered', `r${at + 2}`));
      const many = withReminders(withQuestions(fromSnapshot(SNAPSHOT, NO_ROWS), ended), done);
      const { questions, reminders } = bounded(many);
      for (const [kept, oldest, first, newest] of [
        [questions, 'q1', 'q2', 'q701'],
        [reminders, 'r1', 'r2', 'r701'],
      ] as const) {
        expect(Object.keys(kept)).toHaveLength(501);
        expect(kept).toHaveProperty(oldest);
        expect(kept).toHaveProperty(newest);
        expect(kept).not.toHaveProperty(first);
      }
    });
  },
);

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
        tombstones: [],
        messages: [],
        turns: [],
        questions: [],
        reminders_failed: [],
        needs_you: [],
        approvals: [],
        meta_inputs: [],
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
