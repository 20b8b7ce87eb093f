import { createHash } from 'node:crypto';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { EndRequest, HelloRequest, PollRequest, SendResult, TurnGrant } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { codeOf, textOf } from '../testing/mcp-client.js';
import { TestHive } from '../testing/test-hive.js';

let hive: TestHive;
/** Each test has agents and a CLI of its own: `me` with a harness, `peer` without. */
let me: string;
let peer: string;
let runToken = '';
let tests = 0;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const hello = (instance: number): HelloRequest => ({
  instance,
  driver: 'command',
  model: 'test-model',
  hyperhive_rev: 'rev-7',
  started_at: '2026-01-01T00:00:00.000Z',
  ends: [],
});
const poll = (change: Partial<PollRequest> = {}): PollRequest => ({
  instance: 1,
  run_token_hash: sha256(runToken),
  last_turn_id: null,
  wait_seconds: 20,
  confirm: [],
  ...change,
});
const end = (change: Partial<EndRequest> = {}): EndRequest => ({
  instance: 1,
  result_kind: 'ok',
  shown: null,
  note: '',
  telemetry: {
    started_at: '2026-01-01T00:00:00.000Z',
    ended_at: '2026-01-01T00:00:01.000Z',
    duration_ms: 1000,
    model: 'test-model',
    input_tokens: 5,
    output_tokens: 6,
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
    context_tokens: 5,
    tool_call_count: 0,
    tool_call_breakdown: {},
    bytes_streamed: 0,
    cost_usd: null,
  },
  ...change,
});

beforeAll(async () => {
  hive = await (await TestHive.start()).withGateway();
});
afterAll(() => hive.stop());

beforeEach(async () => {
  tests += 1;
  me = `me-${tests}`;
  peer = `peer-${tests}`;
  runToken = `run-token-${tests}-0123456789`;
  await hive.addAgent(me, { driver: 'command' });
  await hive.addAgent(peer);
});

/** Says hello and gets the turn that a message of the peer's wakes. */
async function turnOf(body: string): Promise<{ sent: SendResult; turn: TurnGrant }> {
  expect((await hive.harness(me, 'hello', hello(1))).status).toBe(200);
  const other = await hive.connect(peer);
  const granted = hive.harness(me, 'turns', poll());
  const sent = await other.data<SendResult>('send', { to: me, body });
  const answer = await granted;
  expect(answer.status).toBe(200);
  return { sent, turn: answer.body['turn'] as TurnGrant };
}

describe(`${verifies('5.1', '1.4', '1.15', 'P6', 'P18')}the harness API`, () => {
  it('carries a turn from hello to end', async () => {
    const { sent, turn } = await turnOf('do it');
    expect(turn).toMatchObject({
      again: false,
      wake_reason: 'message',
      pending: 0,
      messages: [{ id: sent.id, body: 'do it', from: peer }],
    });
    const beat = await hive.harness(me, `turns/${turn.turn_id}/heartbeat`, {
      instance: 1,
      turn_state: 'running',
      confirm: [],
      wait_seconds: 0,
    });
    expect(beat).toMatchObject({
      status: 200,
      body: { lease_until: expect.any(String) as string, commands: [] },
    });
    const events = await hive.harness(me, `turns/${turn.turn_id}/events`, {
      instance: 1,
      events: [{ n: 0, at: '2026-01-01T00:00:00.000Z', kind: 'text', text: 'working' }],
    });
    expect(events).toEqual({ status: 200, body: { stored: 1 } });

    const cli = await hive.connect(me, runToken);
    expect(await cli.data('whoami')).toMatchObject({
      name: me,
      driver: 'command',
      model: 'test-model',
      hyperhive_rev: 'rev-7',
      started_at: '2026-01-01T00:00:00.000Z',
    });

    const ended = await hive.harness(me, `turns/${turn.turn_id}/end`, end({ shown: [sent.id] }));
    expect(ended).toEqual({
      status: 200,
      body: { outcome: 'accepted', acked: [sent.id], returned: [] },
    });
    const again = await hive.harness(me, `turns/${turn.turn_id}/end`, end({ shown: [sent.id] }));
    expect(again.body['outcome']).toBe('repeated');
  });

  it('refuses the calls of a run whose turn is over', async () => {
    const { sent, turn } = await turnOf('short');
    const cli = await hive.connect(me, runToken);
    await hive.harness(me, `turns/${turn.turn_id}/end`, end({ shown: [sent.id] }));
    const refused = await cli.call('send', { to: peer, body: 'late' });
    expect(codeOf(refused)).toBe('superseded');
    expect(textOf(refused)).toContain('this turn is over');
  });

  it('ends a waiting recv when its turn ends', async () => {
    const { sent, turn } = await turnOf('short');
    const cli = await hive.connect(me, runToken);
    const waiting = cli.call('recv', { wait_seconds: 100 });
    await cli.data('whoami');
    await hive.harness(me, `turns/${turn.turn_id}/end`, end({ shown: [sent.id] }));
    expect(codeOf(await waiting)).toBe('superseded');
  });

  it('acks for a driver that sees no tool results what was written whole', async () => {
    const { turn } = await turnOf('first');
    const other = await hive.connect(peer);
    const second = await other.data<SendResult>('send', { to: me, body: 'second' });
    const cli = await hive.connect(me, runToken);
    expect(await cli.data('recv')).toMatchObject({ message: { id: second.id } });
    const third = await other.data<SendResult>('send', { to: me, body: 'third' });
    const ended = await hive.harness(me, `turns/${turn.turn_id}/end`, end());
    expect(ended.body['acked']).toContain(second.id);
    expect(ended.body['acked']).not.toContain(third.id);
  });

  it('ends a poll with its connection: the next one is granted the turn for the first time', async () => {
    await hive.harness(me, 'hello', hello(1));
    const dead = new AbortController();
    const lost = hive.harness(me, 'turns', poll(), { signal: dead.signal }).catch(() => 'gone');
    // A second agent's call over the same link: when it is answered, the poll has been read before it.
    await hive.connect(peer).then((other) => other.data('list_agents'));
    dead.abort();
    expect(await lost).toBe('gone');
    const other = await hive.connect(peer);
    await other.data('send', { to: me, body: 'wake' });
    const { body } = await hive.harness(me, 'turns', poll());
    expect((body['turn'] as TurnGrant).again).toBe(false);
  });

  it('wakes its own agent from outside', async () => {
    await hive.harness(me, 'hello', hello(1));
    const woken = hive.harness(me, 'turns', poll());
    const sent = await hive.harness(me, 'wake', { from: 'webhook', body: 'deployed' });
    expect(sent).toMatchObject({ status: 200, body: { recipients: [me] } });
    const { turn } = (await woken).body as { turn: TurnGrant };
    expect(turn.messages[0]).toMatchObject({ from: 'external:webhook', body: 'deployed' });
  });
});

describe(`${verifies('P2', 'P4', 'P36', '8.3')}the harness API refuses`, () => {
  it("a run's token with 403", async () => {
    const { turn } = await turnOf('x');
    for (const call of ['hello', 'turns', `turns/${turn.turn_id}/end`, 'wake']) {
      const answer = await hive.harness(me, call, {}, { token: runToken });
      expect({ call, ...answer }).toMatchObject({
        call,
        status: 403,
        body: { error: { code: 'forbidden' } },
      });
    }
  });

  it('an instance that was replaced, for ever', async () => {
    await hive.changeAgent(me, { instance: 2 });
    await hive.harness(me, 'hello', hello(2));
    for (const answer of [
      await hive.harness(me, 'hello', hello(1)),
      await hive.harness(me, 'turns', poll({ instance: 1 })),
    ]) {
      expect(answer).toMatchObject({
        status: 410,
        body: { error: { code: 'instance_superseded' } },
      });
    }
  });

  it.each<[string, string, unknown, string]>([
    ['an unknown field', 'wake', { from: 'x', body: 'y', to: 'bob' }, 'unknown_field'],
    ['a list', 'wake', [], 'invalid_request'],
    ['nothing', 'hello', {}, 'invalid_request'],
    ['too long a wait', 'turns', poll({ wait_seconds: 51 }), 'invalid_request'],
    ['too long a body', 'wake', { from: 'x', body: 'x'.repeat(4097) }, 'body_too_long'],
    ['a turn of another shape', 'turns/x/end', end(), 'invalid_request'],
  ])('%s with 400', async (_, call, body, code) => {
    expect(await hive.harness(me, call, body)).toMatchObject({
      status: 400,
      body: { error: { code } },
    });
  });
});
