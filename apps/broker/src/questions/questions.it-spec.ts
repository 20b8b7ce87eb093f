import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { HiveError, LIMITS, type Message } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { refusal, Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';
import { Asking } from './testing/asking.js';

let swarm: Swarm;
const asking = new Asking(() => swarm);
beforeEach(async () => {
  swarm = await Swarm.open([
    'manager',
    'alice',
    'bob',
    ['shy', { allowed_recipients: ['alice'] }],
    ['gone', { state: 'destroyed' }],
  ]);
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

/** All that an agent's inbox gives now. */
async function inbox(agent: string): Promise<Message[]> {
  return (await swarm.recvShown(agent, { max: LIMITS.recv_batch })).messages;
}

function rows(table: 'messages' | 'questions'): number {
  return swarm.broker.app
    .get(ThreadsDb)
    .db.prepare(`SELECT count(*) FROM ${table}`)
    .pluck()
    .get() as number;
}

async function errorOf(call: Promise<unknown>): Promise<HiveError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof HiveError) return error;
  }
  throw new Error('the call was not refused');
}

describe(verifies('2.1') + 'a question', () => {
  it('to the operator is a row and no message, and the asker goes on at once', async () => {
    const { id } = await asking.ask('alice', 'May I deploy?', { options: ['yes', 'no'] });
    expect(id).toBe('q1');
    expect(rows('messages')).toBe(0);
    const { questions } = await swarm.broker.dashboard.questions({}, swarm.context());
    expect(questions).toMatchObject([
      {
        id,
        asker: 'alice',
        target: null,
        question: 'May I deploy?',
        options: ['yes', 'no'],
        multi: false,
        state: 'open',
        deadline_at: null,
        answer: null,
        answered_by: null,
        resolved_at: null,
      },
    ]);
  });

  it('to a peer is also a message of the asker, verbatim, with all that is needed to answer it', async () => {
    const question = '  Which one?\r\n\u202eor both ';
    const params = { to: 'bob', options: ['a', 'b'], multi: true, ttl_seconds: 60 };
    const { id } = await asking.ask('alice', question, params);
    expect(await inbox('bob')).toMatchObject([
      {
        from: 'alice',
        from_kind: 'agent',
        kind: 'event',
        event: 'question_asked',
        body: question,
        hop: 0,
        question: {
          id,
          state: 'open',
          asker: 'alice',
          target: 'bob',
          options: ['a', 'b'],
          multi: true,
          deadline_at: '2026-01-01T00:01:00.000Z',
        },
      },
    ]);
  });

  it('wakes the peer, and waits for its quiet window', async () => {
    await swarm.putAgent('bob', { quiet_window_ms: 500 });
    await swarm.hello('bob');
    await asking.ask('alice', 'ready?', { to: 'bob' });
    expect((await swarm.poll('bob')).turn).toBeNull();
    await swarm.pass(1);
    expect((await swarm.turn('bob')).messages).toMatchObject([{ event: 'question_asked' }]);
  });

  it.each<[string, string, object, string]>([
    ['empty', '', {}, 'invalid_request'],
    ['blank', ' \n', {}, 'invalid_request'],
    ['with a NUL', 'a\0b', {}, 'invalid_request'],
    ['with half a surrogate pair', '\ud800', {}, 'invalid_request'],
    ['too long', 'ü'.repeat(2049), {}, 'body_too_long'],
    ['for several options that are not there', 'x', { multi: true }, 'invalid_request'],
    ['for several of no options', 'x', { multi: true, options: [] }, 'invalid_request'],
    ['with an empty option', 'x', { options: ['a', ''] }, 'invalid_request'],
    ['with an option of 201 characters', 'x', { options: ['x'.repeat(201)] }, 'invalid_request'],
    ['with a NUL in an option', 'x', { options: ['a\0'] }, 'invalid_request'],
    ['with half a surrogate pair in an option', 'x', { options: ['\udc00'] }, 'invalid_request'],
    ['with the same option twice', 'x', { options: ['a', 'a'] }, 'invalid_request'],
    [
      'with 21 options',
      'x',
      { options: Array.from({ length: 21 }, (_, n) => `${n}`) },
      'invalid_request',
    ],
    ['with no time to live', 'x', { ttl_seconds: 0 }, 'invalid_request'],
    ['with half a second to live', 'x', { ttl_seconds: 0.5 }, 'invalid_request'],
    ['with over six hours to live', 'x', { ttl_seconds: 21_601 }, 'invalid_request'],
    ['to oneself', 'x', { to: 'alice' }, 'invalid_request'],
    ['to everyone', 'x', { to: '*' }, 'invalid_request'],
    ['to nobody', 'x', { to: 'nobody' }, 'unknown_recipient'],
    ['to the system', 'x', { to: 'system' }, 'unknown_recipient'],
    ['to one that was destroyed', 'x', { to: 'gone' }, 'unknown_recipient'],
  ])('%s is refused and leaves nothing', async (_what, question, params, code) => {
    expect(await refusal(asking.ask('alice', question, params))).toBe(code);
    expect([rows('questions'), rows('messages')]).toEqual([0, 0]);
  });

  it('has room for the most of everything, and for signs that only look dangerous', async () => {
    const options = Array.from({ length: 20 }, (_, n) => `${'\u202e'.repeat(190)} option ${n}`);
    const { id } = await asking.ask('alice', 'x'.repeat(4096), {
      options,
      multi: true,
      ttl_seconds: 21_600,
    });
    expect(await asking.asks('alice')).toMatchObject([{ id, options }]);
  });

  it('passes the allow-list to the operator and the manager only', async () => {
    expect(await refusal(asking.ask('shy', 'x', { to: 'bob' }))).toBe('recipient_not_allowed');
    await asking.ask('shy', 'x');
    await asking.ask('shy', 'x', { to: 'operator' });
    await asking.ask('shy', 'x', { to: 'manager' });
    await asking.ask('shy', 'x', { to: 'alice' });
    expect(rows('questions')).toBe(4);
  });

  it('is one of at most 50 that are open, and says how to make room', async () => {
    for (let n = 1; n <= LIMITS.questions_open; n += 1) {
      await asking.ask('alice', `${n}`);
      swarm.clock.advance(1000);
    }
    const error = await errorOf(asking.ask('alice', 'one more'));
    expect(error.code).toBe('rate_limited');
    expect(error.message).toContain('cancel_ask');
    await asking.cancel('alice', 'q7');
    await asking.ask('alice', 'one more');
  });
});

describe(verifies('1.8', 'P11') + 'the rate of questions', () => {
  it('is that of sends, whoever is asked; a repeat costs nothing, nor does what is refused', async () => {
    await swarm.putAgent('alice', { send_burst: 1, sends_per_minute: 60 });
    const request_id = swarm.broker.requestId();
    expect(await refusal(asking.ask('alice', '', { to: 'bob' }))).toBe('invalid_request');
    await asking.ask('alice', 'Tea?', { to: 'bob', request_id });
    expect(await refusal(asking.ask('alice', 'Milk?', { to: 'bob' }))).toBe('rate_limited');
    expect(await asking.ask('alice', 'Tea?', { to: 'bob', request_id })).toEqual({ id: 'q1' });
    expect(await refusal(asking.ask('alice', 'May I?'))).toBe('rate_limited');
    swarm.clock.advance(1000);
    await asking.ask('alice', 'May I?');
    swarm.clock.advance(1000);
    await asking.ask('alice', 'Milk?', { to: 'bob' });
    expect(rows('questions')).toBe(3);
  });
});

describe(verifies('2.2', 'P20') + 'an answer', () => {
  it('of the one who was asked reaches the asker once, in the thread of the question', async () => {
    const { id } = await asking.ask('alice', 'Tea?', { to: 'bob', options: ['yes', 'no'] });
    const [asked] = await inbox('bob');
    expect(await asking.answer('bob', id, 'yes, with milk')).toEqual({ id, state: 'answered' });
    expect(await inbox('alice')).toMatchObject([
      {
        from: 'bob',
        from_kind: 'agent',
        kind: 'answer',
        event: 'question_answered',
        body: 'yes, with milk',
        priority: 'normal',
        in_reply_to: asked?.id,
        thread_id: asked?.thread_id,
        question: { id, state: 'answered', asker: 'alice', target: 'bob', question: 'Tea?' },
      },
    ]);
    expect(await inbox('alice')).toEqual([]);
  });

  it('of the operator starts a turn without quiet window, and at hop 0', async () => {
    await swarm.putAgent('alice', { quiet_window_ms: 5000 });
    await swarm.hello('alice');
    const { id } = await asking.ask('alice', 'May I?');
    const question = await asking.operatorAnswers(id, 'yes');
    expect(question).toMatchObject({ state: 'answered', answer: 'yes', answered_by: 'operator' });
    expect((await swarm.turn('alice')).messages).toMatchObject([
      { from: 'operator', from_kind: 'operator', hop: 0, body: 'yes', question: { target: null } },
    ]);
  });

  it('of the operator overrides a peer, who learns that it came too late and from whom', async () => {
    const { id } = await asking.ask('alice', 'Tea?', { to: 'bob' });
    await asking.operatorAnswers(id, 'no');
    const error = await errorOf(asking.answer('bob', id, 'yes'));
    expect(error.code).toBe('conflict');
    expect(error.message).toContain('answered by operator');
    expect(await inbox('alice')).toMatchObject([{ body: 'no', from: 'operator' }]);
  });

  it('lets go what a cancelled turn of the asker held, when the operator gives it (P17)', async () => {
    await swarm.hello('alice');
    const { id } = await asking.ask('alice', 'May I?');
    await swarm.send('bob', 'alice', 'work');
    const turn = await swarm.turn('alice');
    await swarm.broker.dashboard.command({ agent: 'alice', kind: 'cancel' }, swarm.context());
    await swarm.end(turn, { result_kind: 'cancelled' });
    expect((await swarm.poll('alice')).turn).toBeNull();
    await asking.operatorAnswers(id, 'yes');
    expect((await swarm.turn('alice')).messages).toMatchObject([{ body: 'work' }]);
  });

  it('carries the hop of the turn that asks and of the turn that answers', async () => {
    await swarm.hello('alice');
    await swarm.hello('bob');
    await swarm.send('manager', 'alice', 'go', {});
    const turn = await swarm.turn('alice');
    const { id } = await asking.ask(turn, 'Tea?', { to: 'bob' });
    await swarm.end(turn);
    const answering = await swarm.turn('bob');
    expect(answering.hop).toBe(1);
    await asking.answer(answering, id, 'yes');
    expect((await swarm.turn('alice')).messages).toMatchObject([{ hop: 2 }]);
  });

  it('may be several options and words of its own, where several are asked for', async () => {
    const { id } = await asking.ask('alice', 'Which?', { options: ['a', 'b'], multi: true });
    await asking.operatorAnswers(id, ['b', 'a', 'and c']);
    expect(await inbox('alice')).toMatchObject([{ body: 'b, a, and c' }]);
  });

  it.each<[string, string | string[], string]>([
    ['empty', '', 'invalid_request'],
    ['blank', ' ', 'invalid_request'],
    ['an empty list', [], 'invalid_request'],
    ['two where one is asked for', ['a', 'b'], 'invalid_request'],
    ['an empty one in a list', [''], 'invalid_request'],
    ['with a NUL', 'a\0', 'invalid_request'],
    ['with half a surrogate pair', ['\ud800'], 'invalid_request'],
    ['too long', 'x'.repeat(4097), 'body_too_long'],
    ['a list of 22', Array.from({ length: 22 }, () => 'a'), 'invalid_request'],
  ])('%s is refused, and the question stays open', async (_what, answer, code) => {
    const { id } = await asking.ask('alice', 'Tea?', { to: 'bob', options: ['a', 'b'] });
    expect(await refusal(asking.answer('bob', id, answer))).toBe(code);
    expect(await refusal(asking.operatorAnswers(id, answer))).toBe(code);
    expect(asking.state(id)).toBe('open');
    expect(rows('messages')).toBe(1);
  });

  it.each(['q99', 'm1', 'q0', 'q01', '', "q1'; --"])(
    'to %j, which is none, is refused',
    async (id) => {
      expect(await refusal(asking.answer('bob', id, 'x'))).toBe('not_found');
      expect(await refusal(asking.operatorAnswers(id, 'x'))).toBe('not_found');
      expect(await refusal(asking.operatorCancels(id))).toBe('not_found');
    },
  );

  it('of anybody else is refused in the words for a question that does not exist', async () => {
    const { id } = await asking.ask('alice', 'Tea?', { to: 'bob' });
    const { id: toOperator } = await asking.ask('alice', 'May I?');
    const unknown = (await errorOf(asking.answer('bob', 'q99', 'x'))).message;
    for (const [who, which] of [
      ['manager', id],
      ['alice', id],
      ['bob', toOperator],
      ['manager', toOperator],
    ] as const) {
      const error = await errorOf(asking.answer(who, which, 'x'));
      expect([error.code, error.message]).toEqual(['not_found', unknown]);
    }
    expect(asking.state(id)).toBe('open');
  });

  it('repeats what was asked to 500 characters, not more', async () => {
    const { id } = await asking.ask('alice', 'x'.repeat(4096));
    await asking.operatorAnswers(id, 'yes');
    const [message] = await inbox('alice');
    expect(message?.question?.question).toHaveLength(500);
  });
});

describe(verifies('2.3') + 'own questions', () => {
  it('are listed while they are open, oldest first, and nobody else sees them', async () => {
    await asking.ask('alice', 'one', { ttl_seconds: 60 });
    await asking.ask('alice', 'two', { to: 'bob', options: ['a'] });
    await asking.ask('bob', 'three');
    const { id } = await asking.ask('alice', 'four');
    await asking.operatorAnswers(id, 'done');
    const asked_at = '2026-01-01T00:00:00.000Z';
    expect(await asking.asks('alice')).toEqual([
      {
        id: 'q1',
        target: 'operator',
        question: 'one',
        asked_at,
        deadline_at: '2026-01-01T00:01:00.000Z',
      },
      { id: 'q2', target: 'bob', question: 'two', options: ['a'], asked_at },
    ]);
  });

  it('that are cancelled tell their target, not their asker, and can no longer be answered', async () => {
    const { id } = await asking.ask('alice', 'Tea?', { to: 'bob' });
    const [asked] = await inbox('bob');
    expect(await asking.cancel('alice', id)).toEqual({ id, state: 'cancelled' });
    expect(await inbox('bob')).toMatchObject([
      {
        from: 'alice',
        kind: 'event',
        event: 'question_cancelled',
        priority: 'low',
        in_reply_to: asked?.id,
        question: { id, state: 'cancelled', question: 'Tea?' },
      },
    ]);
    expect(await inbox('alice')).toEqual([]);
    const error = await errorOf(asking.answer('bob', id, 'yes'));
    expect(error.code).toBe('conflict');
    expect(error.message).toContain('cancelled by alice');
    expect(await refusal(asking.cancel('alice', id))).toBe('conflict');
  });

  it('cannot be cancelled by others, who are told as if they did not exist', async () => {
    const { id } = await asking.ask('alice', 'Tea?', { to: 'bob' });
    const unknown = (await errorOf(asking.cancel('bob', 'q99'))).message;
    const error = await errorOf(asking.cancel('bob', id));
    expect([error.code, error.message]).toEqual(['not_found', unknown]);
    expect(asking.state(id)).toBe('open');
  });

  it('that the operator cancels bring the asker its one outcome, and tell a peer', async () => {
    const { id } = await asking.ask('alice', 'Tea?', { to: 'bob' });
    expect(await asking.operatorCancels(id)).toMatchObject({
      state: 'cancelled',
      answered_by: 'operator',
      answer: null,
    });
    expect(await inbox('alice')).toMatchObject([
      { from: 'operator', event: 'question_answered', body: '[cancelled]' },
    ]);
    expect(await inbox('bob')).toMatchObject([
      { event: 'question_asked' },
      { event: 'question_cancelled', from: 'system', from_kind: 'system' },
    ]);
    expect(await refusal(asking.operatorCancels(id))).toBe('conflict');
    expect(await refusal(asking.operatorAnswers(id, 'x'))).toBe('conflict');
  });
});

describe(verifies('P25') + 'a destroyed agent', () => {
  it('takes back what it asked, and those it was asked by get their outcome', async () => {
    const { id: its } = await asking.ask('bob', 'Tea?', { to: 'alice' });
    const { id: toOperator } = await asking.ask('bob', 'May I?');
    const { id: toIt } = await asking.ask('alice', 'Milk?', { to: 'bob' });
    await swarm.putAgent('bob', { state: 'destroyed' });
    expect([its, toOperator, toIt].map((id) => asking.state(id))).toEqual([
      'cancelled',
      'cancelled',
      'cancelled',
    ]);
    expect(await inbox('alice')).toMatchObject([
      { event: 'question_asked' },
      {
        event: 'question_answered',
        body: '[cancelled]',
        from: 'system',
        question: { id: toIt, state: 'cancelled' },
      },
      { event: 'question_cancelled', from: 'system', question: { id: its } },
    ]);
    const error = await errorOf(asking.operatorAnswers(toOperator, 'yes'));
    expect(error.message).toContain('destroyed');
  });
});

describe(verifies('I7', 'P11') + 'a repeated request', () => {
  it('of any kind changes nothing and is answered the same, also after a crash', async () => {
    const request = () => swarm.broker.requestId();
    const [first, second, third, fourth] = [request(), request(), request(), request()];
    const all = async () => [
      await asking.ask('alice', 'Tea?', { to: 'bob', request_id: first }),
      await asking.answer('bob', 'q1', 'yes', { request_id: second }),
      await asking.ask('alice', 'May I?', { request_id: third }),
      (await asking.operatorAnswers('q2', 'yes', { request_id: fourth })).state,
    ];
    const answers = await all();
    expect(await all()).toEqual(answers);
    swarm.crash();
    await swarm.reopen();
    expect(await all()).toEqual(answers);
    expect([rows('questions'), rows('messages')]).toEqual([2, 3]);
    expect(await refusal(asking.cancel('alice', 'q1', { request_id: first }))).toBe('conflict');
  });

  it('of a cancel too', async () => {
    const { id } = await asking.ask('alice', 'Tea?', { to: 'bob' });
    const request_id = swarm.broker.requestId();
    await asking.cancel('alice', id, { request_id });
    expect(await asking.cancel('alice', id, { request_id })).toEqual({ id, state: 'cancelled' });
    expect(rows('messages')).toBe(2);
  });
});
