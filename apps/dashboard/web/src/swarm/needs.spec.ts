import { describe, expect, it } from 'vitest';

import type { AgentRow, NeedsYou, NeedsYouKind } from '#libs/protocol';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { groupsOf, stuckAgents } from './needs.js';

function need(kind: NeedsYouKind, id: string, agent = 'scout'): NeedsYou {
  return {
    kind,
    key: `${kind}:${id}`,
    id,
    agent,
    title: '',
    since: '2026-01-01T00:00:00.000Z',
    count: 1,
  };
}

function row(name: string, change: Partial<AgentRow>): AgentRow {
  return {
    version: 1,
    agent_id: name,
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
    ...change,
  };
}

describe(verifies('7.2') + 'what needs the operator', () => {
  it('begins with questions, and keeps the order of the hive within a kind', () => {
    const groups = groupsOf([
      need('reminder_failed', 'r1'),
      need('question', 'q1'),
      need('dead_delivery', 'm1.1'),
      need('question', 'q2'),
    ]);
    expect(groups.map(({ kind, shown }) => [kind, shown.map(({ id }) => id)])).toEqual([
      ['question', ['q1', 'q2']],
      ['dead_delivery', ['m1.1']],
      ['reminder_failed', ['r1']],
    ]);
  });

  it('shows a few of a kind and counts the others', () => {
    const many = Array.from({ length: 12 }, (_, at) => need('dead_delivery', `m${at}.1`));
    expect(groupsOf(many)).toMatchObject([{ more: 7, shown: many.slice(0, 5) }]);
    expect(groupsOf(many.slice(0, 5))).toMatchObject([{ more: 0 }]);
    expect(groupsOf([])).toEqual([]);
  });

  it('shows a kind that it does not know behind the others', () => {
    const unknown = need('party' as NeedsYouKind, 'a1');
    expect(groupsOf([unknown, need('hop_limit', 'scout')]).map(({ kind }) => kind)).toEqual([
      'hop_limit',
      'party',
    ]);
  });

  it('names an agent that is held once', () => {
    const held = row('scout', { turn_state: 'held' });
    expect(stuckAgents([held], [])).toMatchObject([{ agent: { name: 'scout' } }]);
    expect(stuckAgents([held], [need('held_cancelled', 'scout')])).toEqual([]);
    expect(stuckAgents([held], [need('held_cancelled', 'miner', 'miner')])).toHaveLength(1);
  });

  it.each([
    ['crashed', { state: 'crashed', turn_state: 'held' }],
    ['parked', { state: 'parked' }],
    ['without a login', { needs_login: true, turn_state: 'held' }],
  ] as const)('names an agent that is %s beside what it holds', (_what, change) => {
    const found = stuckAgents([row('scout', change)], [need('held_cancelled', 'scout')]);
    expect(found.map(({ agent: { name } }) => name)).toEqual(['scout']);
  });
});
