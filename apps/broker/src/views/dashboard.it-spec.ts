import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { isoTime, type MessageRow, type SendParams, type SendResult } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import {
  endRequest,
  helloRequest,
  openTestBroker,
  pollRequest,
  registryAgent,
  removeTestFolders,
  tokenOf,
  type TestBroker,
} from '../testing/test-broker.js';

const ALICE = tokenOf(1, 'alice');
const BOB = tokenOf(2, 'bob');

describe(verifies('7.1', '7.3') + "the operator's reads", () => {
  let broker: TestBroker;

  beforeEach(async () => {
    broker = await openTestBroker();
    const agents = [
      registryAgent(1, 'alice'),
      registryAgent(2, 'bob', { driver: 'external' }),
      registryAgent(3, 'carol', { state: 'stopped', deployed_sha: 'abc' }),
    ];
    await broker.c0re.put_registry({ revision: 1, agents }, broker.context());
  });

  afterEach(() => broker.close());
  afterAll(removeTestFolders);

  function send(
    credential: string,
    to: string,
    more: Partial<SendParams> = {},
  ): Promise<SendResult> {
    const request_id = broker.requestId();
    // Each body is another one: an equal send of which nobody saw the answer would be taken for a repeat.
    const body = `to ${to} (${request_id})`;
    const params = { credential, request_id, session: 's', to, body, ...more };
    return Promise.resolve(broker.gateway.send(params, broker.context()));
  }

  async function startTurn(): Promise<string> {
    const { gateway } = broker;
    await gateway.hello(
      { credential: ALICE, ...helloRequest(1, { model: 'opus' }) },
      broker.context(),
    );
    const poll = { credential: ALICE, ...pollRequest(1, 'run') };
    const { turn } = await gateway.poll_turn(poll, broker.context());
    return turn?.turn_id ?? '';
  }

  async function endTurn(turn_id: string, shown: string[] | null = null): Promise<void> {
    const end = endRequest(1, { shown });
    await broker.gateway.end_turn({ credential: ALICE, turn_id, end }, broker.context());
  }

  const snapshot = (messages = 50) => broker.dashboard.snapshot({ messages }, broker.context());
  const row = async (id: string): Promise<MessageRow | undefined> =>
    (await snapshot()).messages.find((message) => message.id === id);

  const waits = async (id: string) => (await row(id))?.deliveries[0]?.waits_for;
  const ask = (query: object) => broker.dashboard.messages(query, broker.context());
  const askTurns = (query: object) =>
    broker.dashboard.agent_turns({ agent: 'alice', ...query }, broker.context());
  const askEvents = (query: object) =>
    broker.dashboard.agent_events({ agent: 'alice', ...query }, broker.context());

  it('show every agent with all that its row has', async () => {
    await send(BOB, 'alice');
    await send(BOB, 'carol');
    const turn_id = await startTurn();
    await broker.gateway.set_status({ credential: BOB, text: 'thinking' }, broker.context());
    const { agents, version, turns } = await snapshot();
    expect(agents.map((agent) => agent.name)).toEqual(['alice', 'bob', 'carol']);
    expect(agents[0]).toEqual({
      version,
      agent_id: '1',
      name: 'alice',
      role: 'agent',
      driver: 'command',
      model: 'opus',
      container: 'process',
      state: 'running',
      turn_state: 'running',
      turn: {
        turn_id,
        started_at: isoTime(broker.clock.now()),
        wake_from: 'bob',
        wake_reason: 'message',
      },
      status_text: '',
      unread: 0,
      reminders: { pending: 0, delivered_24h: 0, failed: 0 },
      context_tokens: null,
      cost_today_usd: 0,
      deployed_sha: null,
      needs_login: false,
      needs_update: false,
      harness_seen_at: isoTime(broker.clock.now()),
      reason: '',
    });
    expect(agents[1]).toMatchObject({ status_text: 'thinking', harness_seen_at: null });
    expect(agents[2]).toMatchObject({ state: 'stopped', unread: 1, deployed_sha: 'abc' });
    expect(turns).toMatchObject([
      {
        turn_id,
        agent: 'alice',
        model: 'opus',
        result_kind: null,
        ended_at: null,
        duration_ms: null,
      },
    ]);
  });

  it('show what a turn used once it ended, in its row and in its agent', async () => {
    const sent = await send(BOB, 'alice');
    const turn_id = await startTurn();
    expect((await snapshot()).agents[0]).toMatchObject({ context_tokens: null });
    await endTurn(turn_id, [sent.id]);
    const { agents, turns } = await snapshot();
    expect(turns).toMatchObject([
      {
        turn_id,
        thread_id: sent.id,
        input_tokens: 10,
        output_tokens: 5,
        result_kind: 'ok',
        model: 'test-model',
        tool_call_breakdown: { send: 1 },
      },
    ]);
    expect(agents[0]).toMatchObject({ context_tokens: 100, turn_state: 'idle' });
    expect(agents[0]?.turn).toBeUndefined();
  });

  it('grow in version with every change', async () => {
    const versions = [(await snapshot()).version];
    await send(BOB, 'alice');
    versions.push((await snapshot()).version);
    await startTurn();
    versions.push((await snapshot()).version);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(new Set(versions).size).toBe(3);
  });

  describe(verifies('1.12') + 'the life of a message', () => {
    it('goes from queued over leased to acked', async () => {
      const { id } = await send(BOB, 'alice');
      expect(await row(id)).toMatchObject({
        from: 'bob',
        from_kind: 'agent',
        to: 'alice',
        deliveries: [{ to: 'alice', state: 'queued', attempt: 1, hand_outs: 0 }],
      });
      const turn_id = await startTurn();
      expect((await row(id))?.deliveries).toMatchObject([{ state: 'leased', hand_outs: 1 }]);
      broker.clock.advance(1000);
      await endTurn(turn_id, [id]);
      expect((await row(id))?.deliveries).toEqual([
        {
          to: 'alice',
          state: 'acked',
          since: isoTime(broker.clock.now()),
          attempt: 1,
          hand_outs: 1,
        },
      ]);
    });

    it('says what a queued delivery waits for', async () => {
      const toOperator = await send(BOB, 'operator');
      const toBob = await send(ALICE, 'bob');
      const toCarol = await send(BOB, 'carol');
      const toAlice = await send(BOB, 'alice');
      expect(await waits(toOperator.id)).toBe('unread');
      expect(await waits(toBob.id)).toBe('unread');
      expect(await waits(toCarol.id)).toBe('stopped');
      expect(await waits(toAlice.id)).toBe('no_harness');
      await startTurn();
      const second = await send(BOB, 'alice');
      expect(await waits(second.id)).toBe('busy');
    });

    it('tells a quiet window, a low priority and a wait after a failure apart', async () => {
      const quiet = registryAgent(1, 'alice', { quiet_window_ms: 500 });
      await broker.c0re.put_agent({ revision: 2, agent: quiet }, broker.context());
      await startTurn();
      const low = await send(BOB, 'alice', { priority: 'low' });
      expect(await waits(low.id)).toBe('low_priority');
      const first = await send(BOB, 'alice');
      expect(await waits(first.id)).toBe('quiet_window');
      broker.clock.advance(501);
      const turn_id = await startTurn();
      const end = endRequest(1, { result_kind: 'failed', shown: [] });
      await broker.gateway.end_turn({ credential: ALICE, turn_id, end }, broker.context());
      expect(await waits(first.id)).toBe('back_off');
      expect((await row(first.id))?.deliveries).toMatchObject([{ attempt: 2, hand_outs: 1 }]);
    });

    it('ends for the operator when it is read', async () => {
      const { id } = await send(BOB, 'operator');
      const { message } = await broker.dashboard.mark_read({ id }, broker.context());
      expect(message.deliveries).toMatchObject([{ to: 'operator', state: 'acked' }]);
    });
  });

  describe(verifies('1.5') + 'pages of messages', () => {
    it('hold a thread with its root, newest first', async () => {
      const root = await send(BOB, 'alice');
      await send(BOB, 'carol');
      const turn_id = await startTurn();
      await endTurn(turn_id, [root.id]);
      const reply = await send(ALICE, 'bob', { in_reply_to: root.id });
      const ids = (await ask({ thread: root.id })).messages.map((message) => message.id);
      expect(ids).toEqual([reply.id, root.id]);
      const first = await ask({ thread: root.id, limit: 1 });
      expect(first).toMatchObject({ messages: [{ id: reply.id }], next: reply.id });
      const second = await ask({ thread: root.id, limit: 1, before: first.next });
      expect(second.messages.map((message) => message.id)).toEqual([root.id]);
      expect(second.next).toBeUndefined();
    });

    it('hold what an agent sent or was sent, and its inbox only the latter', async () => {
      const toCarol = await send(BOB, 'carol');
      await send(ALICE, 'operator');
      const fromCarol = await send(tokenOf(3, 'carol'), 'alice');
      const request_id = broker.requestId();
      const fromOperator = await broker.dashboard.send(
        { request_id, to: 'carol', body: 'hello' },
        broker.context(),
      );
      const all = await ask({ agent: 'carol' });
      expect(all.messages.map(({ id }) => id)).toEqual([fromOperator.id, fromCarol.id, toCarol.id]);
      const inbox = await broker.dashboard.agent_inbox({ agent: 'carol' }, broker.context());
      expect(inbox.messages.map(({ id }) => id)).toEqual([fromOperator.id, toCarol.id]);
      const operator = await ask({ agent: 'operator' });
      expect(operator.messages.map(({ from }) => from)).toEqual(['operator', 'alice']);
    });

    it('go on where the last one ended, also over many messages of others', async () => {
      const old = await send(BOB, 'carol');
      const others: Promise<SendResult>[] = [];
      for (let i = 0; i < 3000; i++) others.push(send(BOB, 'operator', { body: `n ${i}` }));
      await Promise.all(others);
      const newer = await send(BOB, 'carol', { body: 'again' });
      const first = await ask({ agent: 'carol', limit: 1 });
      expect(first.messages.map(({ id }) => id)).toEqual([newer.id]);
      const second = await ask({ agent: 'carol', limit: 1, before: first.next });
      expect(second.messages.map(({ id }) => id)).toEqual([old.id]);
      expect(second.next).toBeUndefined();
      const page = await ask({ limit: 100 });
      expect(page.messages).toHaveLength(100);
      const next = await ask({ limit: 100, before: page.next });
      expect(next.messages[0]?.body).toBe('n 2900');
    });

    it('refuse what is not a message, an agent or a known field', async () => {
      await expect(ask({ thread: 'x' })).rejects.toMatchObject({ code: 'invalid_request' });
      await expect(ask({ agent: 'nobody' })).rejects.toMatchObject({ code: 'not_found' });
      await expect(ask({ agnet: 'alice' })).rejects.toMatchObject({ code: 'unknown_field' });
      await expect(ask({ limit: 201 })).rejects.toMatchObject({ code: 'invalid_request' });
      await expect(ask({ thread: 'm1', agent: 'bob' })).rejects.toMatchObject({
        code: 'invalid_request',
      });
    });
  });

  describe(verifies('7.4') + "an agent's page", () => {
    it('pages its turns, the running one first', async () => {
      const done: string[] = [];
      for (let i = 0; i < 3; i++) {
        const sent = await send(BOB, 'alice', { body: `work ${i}` });
        const turn_id = await startTurn();
        await endTurn(turn_id, [sent.id]);
        done.push(turn_id);
      }
      await send(BOB, 'alice');
      const live = await startTurn();
      const first = await askTurns({ limit: 2 });
      expect(first.turns.map((turn) => [turn.turn_id, turn.result_kind])).toEqual([
        [live, null],
        [done[2], 'ok'],
      ]);
      const second = await askTurns({ limit: 2, before: first.next });
      expect(second.turns.map((turn) => turn.turn_id)).toEqual([done[1], done[0]]);
      expect(second.next).toBeUndefined();
    });

    it('shows the live events of its newest turns, or of one', async () => {
      const at = isoTime(broker.clock.now());
      const report = (turn_id: string, text: string) =>
        broker.gateway.turn_events(
          { credential: ALICE, turn_id, instance: 1, events: [{ n: 0, at, kind: 'text', text }] },
          broker.context(),
        );
      const sent = await send(BOB, 'alice');
      const first = await startTurn();
      await report(first, 'one');
      await endTurn(first, [sent.id]);
      await send(BOB, 'alice', { body: 'more' });
      const second = await startTurn();
      await report(second, 'two');
      const { events } = await askEvents({});
      expect(events.map(({ turn_id, event }) => [turn_id, event.text])).toEqual([
        [first, 'one'],
        [second, 'two'],
      ]);
      expect((await askEvents({ turn_id: first })).events).toHaveLength(1);
      await expect(async () =>
        broker.dashboard.agent_events({ agent: 'bob', turn_id: first }, broker.context()),
      ).rejects.toMatchObject({ code: 'not_found' });
    });

    it('has statistics of its turns', async () => {
      const sent = await send(BOB, 'alice');
      const turn_id = await startTurn();
      await endTurn(turn_id, [sent.id]);
      const stats = await broker.dashboard.agent_stats(
        { agent: 'alice', window: '24h' },
        broker.context(),
      );
      expect(stats).toMatchObject({
        turns: 1,
        wake_mix: { message: 1 },
        result_mix: { ok: 1 },
        tools: { send: 1 },
        tokens: { input: 10, output: 5 },
      });
    });
  });
});
