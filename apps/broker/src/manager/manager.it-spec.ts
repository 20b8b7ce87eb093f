import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { ApprovalRow } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { refusal, Swarm } from '../testing/swarm.js';
import { removeTestFolders, sha256 } from '../testing/test-broker.js';

let swarm: Swarm;
beforeEach(async () => {
  swarm = await Swarm.open(['manager', 'alice']);
  for (const name of ['manager', 'alice']) await swarm.hello(name);
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

const APPROVAL: ApprovalRow = {
  version: 1,
  id: 'a1',
  kind: 'apply_commit',
  state: 'pending',
  agent: 'alice',
  commit_ref: '0123456',
  sha: '0123456789'.repeat(4),
  inputs: [],
  description: 'a better prompt',
  requested_by: 'manager',
  requested_at: '2026-01-01T00:00:00.000Z',
  bases: { running: null, approved: null, queued: null },
  decided_by: null,
  decided_at: null,
  reason: null,
  error: null,
  resolved_at: null,
};

const tell = (key: string, body = 'approval a1 was denied: "too broad"') =>
  swarm.broker.c0re.tell_manager({ key, event: 'approval_resolved', body }, swarm.context());
const waiting = (...approvals: ApprovalRow[]) =>
  swarm.broker.c0re.put_waiting({ approvals }, swarm.context());
const openThreads = (agent: string, scope: 'mine' | 'hive') =>
  swarm.broker.gateway.get_open_threads({ credential: swarm.token(agent), scope }, swarm.context());

describe(verifies('4.10') + 'news for the manager', () => {
  it('come once under their key, as events of system', async () => {
    const first = await tell('c0re-1');
    expect(await tell('c0re-1')).toEqual(first);
    await tell('c0re-2');
    const turn = await swarm.turn('manager');
    expect(turn.messages).toMatchObject([
      {
        from: 'system',
        from_kind: 'system',
        kind: 'event',
        event: 'approval_resolved',
        body: 'approval a1 was denied: "too broad"',
      },
    ]);
    expect(turn.pending).toBe(1);
  });

  it('are told again after a crash only when they were not told', async () => {
    await tell('c0re-1');
    swarm.crash();
    await swarm.reopen();
    await tell('c0re-1');
    await swarm.hello('manager', 1);
    expect((await swarm.turn('manager')).pending).toBe(0);
  });

  it('are nobody’s without a manager', async () => {
    await swarm.putAgent('manager', { state: 'destroyed' });
    expect(await tell('c0re-1')).toEqual({ id: null });
  });

  it.each([
    ['an unknown event', { key: 'k', event: 'party', body: 'x' }],
    ['no key', { event: 'spawned', body: 'x' }],
    ['an empty key', { key: '', event: 'spawned', body: 'x' }],
    ['a body that is no text', { key: 'k', event: 'spawned', body: 7 }],
    ['an empty body', { key: 'k', event: 'spawned', body: '' }],
    ['a NUL', { key: 'k', event: 'spawned', body: 'a\0b' }],
    ['a lone surrogate', { key: 'k', event: 'spawned', body: '\ud800' }],
    ['a foreign field', { key: 'k', event: 'spawned', body: 'x', to: 'alice' }],
  ])('refuses %s', async (_what, params) => {
    const call = async () => swarm.broker.c0re.tell_manager(params as never, swarm.context());
    expect(['invalid_request', 'unknown_field']).toContain(await refusal(call()));
  });
});

describe(verifies('2.4', '7.2') + 'approvals that wait', () => {
  it('stand among the open threads of the hive and of who asked, and under Needs you', async () => {
    await waiting(APPROVAL);
    const row = { kind: 'approval', id: 'a1', agent: 'alice', description: 'a better prompt' };
    for (const scope of ['hive', 'mine'] as const)
      expect((await openThreads('manager', scope)).threads).toMatchObject([row]);
    expect((await openThreads('alice', 'mine')).threads).toEqual([]);
    const { needs_you } = await swarm.broker.dashboard.needs_you({}, swarm.context());
    expect(needs_you).toEqual([
      {
        kind: 'approval',
        key: 'approval:a1',
        id: 'a1',
        agent: 'alice',
        title: 'manager wants to deploy 012345678901 to alice: a better prompt',
        since: APPROVAL.requested_at,
        count: 1,
      },
    ]);
    await waiting();
    expect((await openThreads('manager', 'hive')).threads).toEqual([]);
  });
});

describe(verifies('P2', 'P29') + 'who may act with a token', () => {
  it('is the agent behind its own token and behind that of its live run, and nobody else', async () => {
    const identify = async (credential: string) =>
      swarm.broker.c0re.identify({ credential }, swarm.context());
    expect(await identify(swarm.token('manager'))).toMatchObject({ credential_kind: 'agent' });
    await swarm.send('alice', 'manager', 'hi');
    const turn = await swarm.turn('manager');
    expect(await identify(turn.run)).toMatchObject({
      name: 'manager',
      role: 'manager',
      credential_kind: 'run',
    });
    await swarm.end(turn);
    expect(await refusal(identify(turn.run))).toBe('superseded');
    expect(await refusal(identify(sha256('nobody')))).toBe('unauthorized');
  });
});

const call = (agent: string) => ({
  credential: swarm.token(agent),
  request_id: swarm.broker.requestId(),
  session: 's',
});

describe(verifies('8.3', '2.2', '3.2') + 'what the manager may end of others', () => {
  it('is any question: its asker gets the outcome, once', async () => {
    const { gateway } = swarm.broker;
    const { id } = await gateway.ask({ ...call('alice'), question: 'may I?' }, swarm.context());
    const cancel = { ...call('manager'), id };
    const first = await gateway.cancel_question(cancel, swarm.context());
    expect(first).toEqual({ id, state: 'cancelled' });
    expect(await gateway.cancel_question(cancel, swarm.context())).toEqual(first);
    const { messages } = await swarm.turn('alice');
    expect(messages).toMatchObject([
      { from: 'manager', event: 'question_answered', body: '[cancelled]' },
    ]);
    const again = gateway.cancel_question({ ...call('manager'), id }, swarm.context());
    expect(await refusal(Promise.resolve(again))).toBe('conflict');
  });

  it('is any reminder; nobody else may', async () => {
    const { gateway } = swarm.broker;
    const remind = { message: 'later', delay_seconds: 60 };
    const { id } = await gateway.remind({ ...call('alice'), ...remind }, swarm.context());
    const own = await gateway.remind({ ...call('manager'), ...remind }, swarm.context());
    const foreign = async (agent: string, reminder: string) =>
      gateway.cancel_reminder({ ...call(agent), id: reminder }, swarm.context());
    expect(await refusal(foreign('alice', own.id))).toBe('not_found');
    expect(await foreign('manager', id)).toEqual({ id, state: 'cancelled' });
    expect(await refusal(foreign('manager', 'r99'))).toBe('not_found');
    const asked = await gateway.ask({ ...call('manager'), question: 'may I?' }, swarm.context());
    const byAlice = async () =>
      gateway.cancel_question({ ...call('alice'), id: asked.id }, swarm.context());
    expect(await refusal(byAlice())).toBe('forbidden');
  });
});
