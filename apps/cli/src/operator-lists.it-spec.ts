import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  HiveError,
  type AgentStats,
  type DeliveryRow,
  type NeedsYou,
  type QuestionRow,
  type ReminderRow,
} from '#libs/protocol';

import { verifies } from '../../../test/requirements/verifies.js';
import { message, TestCli } from './testing/test-cli.js';

const cli = new TestCli();
const { dashboard } = cli;
const hive: TestCli['hive'] = (...args) => cli.hive(...args);
const SINCE = '2026-01-01T11:58:00.000Z';

beforeAll(() => cli.start());
afterAll(() => cli.stop());
beforeEach(() => cli.reset());

function question(change: Partial<QuestionRow> = {}): QuestionRow {
  return {
    version: 1,
    id: 'q3',
    asker: 'scout',
    target: null,
    question: 'ship\u001b[2J it?',
    options: ['yes', 'no'],
    multi: false,
    state: 'open',
    asked_at: SINCE,
    deadline_at: null,
    answer: null,
    answered_by: null,
    resolved_at: null,
    ...change,
  };
}

function reminder(change: Partial<ReminderRow> = {}): ReminderRow {
  return {
    version: 1,
    id: 'r5',
    owner: 'scout',
    message: 'look again',
    due_at: '2026-01-01T13:00:00.000Z',
    every: null,
    every_tz: null,
    state: 'pending',
    occurrence: 1,
    attempt_count: 0,
    last_error: null,
    last_attempt_at: null,
    created_at: SINCE,
    file_path: null,
    ...change,
  };
}

const DEAD: DeliveryRow = {
  version: 1,
  id: 'm2.3',
  to: 'builder',
  state: 'dead',
  since: SINCE,
  attempt: 5,
  hand_outs: 5,
  reason: 'its turn failed 5 times',
  message: message('m2', { to: 'builder' }),
};
const WAITING: NeedsYou = {
  kind: 'dead_delivery',
  key: 'dead:m2.3',
  id: 'm2.3',
  agent: 'builder',
  title: 'a message of scout was given up',
  since: SINCE,
  count: 1,
};

/** What was asked of the dashboard, and with which body. */
function asked(): [string, unknown][] {
  return dashboard.requests.map(({ method, path, body }) => [`${method} ${path}`, body]);
}

describe(verifies('10.4', '1.9', '1.5') + 'hive: conversations', () => {
  it('search shows what was found, with how far it got, and where to go on', async () => {
    dashboard.on('GET /api/messages?q=beacon+release&agent=scout&before=m9', () => ({
      messages: [
        message('m5', {
          to: 'builder',
          in_reply_to: 'm1',
          thread_id: 'm1',
          body: 'two\nlines',
          deliveries: [
            {
              to: 'builder',
              state: 'queued',
              since: SINCE,
              attempt: 1,
              hand_outs: 0,
              waits_for: 'busy',
            },
          ],
        }),
      ],
      next: 'm5',
    }));
    const args = ['search', 'beacon release', '--agent', 'scout', '--before', 'm9'];
    expect(await hive(args)).toEqual({
      code: 0,
      out: 'm5 from scout to builder, 2 min ago, thread m1, answers m1\n  two\n  lines\n  [builder queued (busy)]\n\nolder ones: --before m5\n',
      err: '',
    });
    expect(JSON.parse((await hive([...args, '--json'])).out)).toMatchObject({
      messages: [{ id: 'm5' }],
      next: 'm5',
    });
  });

  it('thread shows all pages of a conversation, oldest first', async () => {
    dashboard.on('GET /api/messages?thread=m1', () => ({
      messages: [message('m5')],
      next: 'm5',
    }));
    dashboard.on('GET /api/messages?thread=m1&before=m5', () => ({ messages: [message('m1')] }));
    const { code, out } = await hive(['thread', 'm1']);
    expect([code, out.match(/^m\d/gm)]).toEqual([0, ['m1', 'm5']]);
    expect(JSON.parse((await hive(['thread', 'm1', '--json'])).out)).toMatchObject({
      thread_id: 'm1',
      messages: [{ id: 'm1' }, { id: 'm5' }],
    });
  });
});

describe(verifies('10.4', '1.15', '1.6') + 'hive: words to agents', () => {
  it('wake takes the text from the command line or the input', async () => {
    dashboard.on('POST /api/agents/scout/wake', () => ({
      id: 'm9',
      thread_id: 'm9',
      recipients: ['scout'],
    }));
    const args = ['wake', '--agent', 'scout', '--from', 'ci', '--body'];
    expect(await hive([...args, 'build 7 failed'])).toEqual({
      code: 0,
      out: 'm9 to scout (thread m9)\n',
      err: '',
    });
    await hive([...args, '-'], { input: 'a\nb\n' });
    expect(asked()).toEqual([
      ['POST /api/agents/scout/wake', { from: 'ci', body: 'build 7 failed' }],
      ['POST /api/agents/scout/wake', { from: 'ci', body: 'a\nb' }],
    ]);
  });

  it('send to everybody says how many that are', async () => {
    const recipients = Array.from({ length: 40 }, (_, n) => `a${n}`);
    dashboard.on('POST /api/messages', () => ({ id: 'm9', thread_id: 'm9', recipients }));
    expect((await hive(['send', '*', 'all'])).out).toBe('m9 to 40 agents (thread m9)\n');
    expect(asked()).toEqual([['POST /api/messages', { to: '*', body: 'all' }]]);
  });
});

describe(verifies('10.4', '2.1', '2.2', '2.3') + 'hive: questions', () => {
  it('ask-list shows the open ones, without letting an agent steer the terminal', async () => {
    dashboard.on('GET /api/questions?state=open', () => ({
      questions: [question({ deadline_at: '2026-01-01T12:30:00.000Z' })],
    }));
    expect((await hive(['ask-list'])).out).toBe(
      'q3 open: scout asks operator, 2 min ago, until 2026-01-01T12:30:00.000Z\n  ship\ufffd[2J it?\n  one of "yes", "no", or free words\n',
    );
  });

  it('ask-list --all shows what became of the others, of one agent', async () => {
    dashboard.on('GET /api/questions?agent=scout', () => ({
      questions: [
        question({ state: 'answered', target: 'builder', answer: 'yes', answered_by: 'operator' }),
      ],
    }));
    const { out } = await hive(['ask-list', '--all', '--agent', 'scout']);
    expect(out).toContain('q3 answered: scout asks builder');
    expect(out).toContain('  operator: yes\n');
    const json = await hive(['ask-list', '--all', '--agent', 'scout', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ questions: [{ id: 'q3', answer: 'yes' }] });
  });

  it('answer gives one text, several options, or the input', async () => {
    dashboard.on('POST /api/questions/q3/answer', () => ({
      question: question({ state: 'answered' }),
    }));
    expect((await hive(['answer', 'q3', 'yes'])).out).toBe('q3 is answered\n');
    await hive(['answer', 'q3', 'yes', 'no']);
    await hive(['answer', 'q3', '-'], { input: 'in my own words\n' });
    expect(asked().map(([, body]) => body)).toEqual([
      { answer: 'yes' },
      { answer: ['yes', 'no'] },
      { answer: 'in my own words' },
    ]);
  });

  it('cancel-ask cancels; an answered one is refused with the words of the hive', async () => {
    dashboard.on('POST /api/questions/q3/cancel', () => ({
      question: question({ state: 'cancelled' }),
    }));
    dashboard.on('POST /api/questions/q4/cancel', () => {
      throw new HiveError('conflict', 'q4 was answered');
    });
    expect((await hive(['cancel-ask', 'q3'])).out).toBe('q3 is cancelled\n');
    expect(await hive(['cancel-ask', 'q4'])).toEqual({
      code: 1,
      out: '',
      err: 'hive: q4 was answered\n',
    });
  });
});

describe(verifies('10.4', '3.5', '3.7') + 'hive: reminders', () => {
  it('reminders lists them by agent and state, with why they failed', async () => {
    dashboard.on('GET /api/reminders?agent=scout&state=failed', () => ({
      reminders: [reminder({ state: 'failed', attempt_count: 5, last_error: 'no room' })],
    }));
    const args = ['reminders', '--agent', 'scout', '--state', 'failed'];
    expect((await hive(args)).out).toBe(
      'ID  AGENT  STATE   DUE                       EVERY  TRIES  WHAT\n' +
        'r5  scout  failed  2026-01-01T13:00:00.000Z  once   5      no room: look again\n',
    );
    expect(JSON.parse((await hive([...args, '--json'])).out)).toMatchObject({
      reminders: [{ id: 'r5', last_error: 'no room' }],
    });
  });

  it.each([
    ['retry', 'pending'],
    ['cancel', 'cancelled'],
  ] as const)('reminder-%s makes it %s', async (verb, state) => {
    dashboard.on(`POST /api/reminders/r5/${verb}`, () => ({ reminder: reminder({ state }) }));
    expect((await hive([`reminder-${verb}`, 'r5'])).out).toBe(`r5 is ${state}\n`);
  });
});

describe(verifies('10.4', '1.2') + 'hive: what needs the operator', () => {
  it('deliveries lists the dead ones over all pages', async () => {
    dashboard.on('GET /api/deliveries?state=dead', () => ({ deliveries: [DEAD], next: 'x' }));
    dashboard.on('GET /api/deliveries?state=dead&before=x', () => ({
      deliveries: [{ ...DEAD, id: 'm1.3' }],
    }));
    expect((await hive(['deliveries'])).out).toBe(
      'ID    FROM   TO       SINCE  TRIES  WHY                      WHAT\n' +
        'm2.3  scout  builder  2 min  5      its turn failed 5 times  note m2\n' +
        'm1.3  scout  builder  2 min  5      its turn failed 5 times  note m2\n',
    );
  });

  it('delivery-retry queues one again and shows it', async () => {
    dashboard.on('POST /api/deliveries/m2.3/retry', () => ({ message: message('m2') }));
    const { out } = await hive(['delivery-retry', 'm2.3']);
    expect(out).toContain('[operator queued]');
  });

  it('needs-you lists what waits, or that nothing does', async () => {
    dashboard.on('GET /api/needs-you', () => ({ version: 3, needs_you: [WAITING] }));
    const { out } = await hive(['needs-you']);
    expect(out).toContain('dead_delivery  m2.3  builder  2 min  1      a message of scout');
    expect(JSON.parse((await hive(['needs-you', '--json'])).out)).toEqual({
      needs_you: [WAITING],
    });
    dashboard.on('GET /api/needs-you', () => ({ version: 4, needs_you: [] }));
    expect((await hive(['needs-you'])).out).toBe('nothing waits for you\n');
  });
});

describe(verifies('10.4', '6.4') + 'hive stats', () => {
  it('says what an agent cost, and which threads and reminders', async () => {
    const stats = {
      window: '7d',
      turns: 3,
      by_bucket: [],
      tools: {},
      wake_mix: {},
      result_mix: {},
      tokens: { input: 10, output: 5, cache_read: 20, cache_creation: 1 },
      cost_usd: 0.75,
      cost_by_thread: [{ thread_id: 'm4', turns: 2, cost_usd: 0.5 }],
      cost_by_reminder: [{ reminder_id: 'r9', turns: 1, cost_usd: 0.25 }],
    } satisfies AgentStats;
    dashboard.on('GET /api/agents/scout/stats?window=7d', () => stats);
    expect(await hive(['stats', 'scout', '--window', '7d'])).toEqual({
      code: 0,
      out: [
        'scout in 7d: 3 turns, $0.7500, 31 tokens read, 5 written',
        '',
        'THREAD  TURNS  COST',
        'm4      2      $0.5000',
        '',
        'REMINDER  TURNS  COST',
        'r9        1      $0.2500',
        '',
      ].join('\n'),
      err: '',
    });
    const json = await hive(['stats', 'scout', '--window', '7d', '--json']);
    expect(JSON.parse(json.out)).toEqual(stats);
    dashboard.on('GET /api/agents/scout/stats?window=24h', () => ({
      ...stats,
      cost_by_thread: [],
      cost_by_reminder: [],
    }));
    expect((await hive(['stats', 'scout'])).out).not.toContain('COST');
  });
});

describe(verifies('10.4') + 'hive: wrong usage and bad ids', () => {
  it.each<[args: string[]]>([
    [['search']],
    [['thread']],
    [['wake', '--agent', 'scout', '--from', 'ci']],
    [['wake', '--from', 'ci', '--body', 'x']],
    [['wake', '--agent', 'scout', '--body', 'x']],
    [['answer', 'q3']],
    [['cancel-ask']],
    [['cancel-ask', 'q3', 'q4']],
    [['reminders', '--state', 'late']],
    [['reminder-retry']],
    [['reminder-cancel']],
    [['deliveries', '--state', 'acked']],
    [['delivery-retry']],
    [['needs-you', 'now']],
    [['stats']],
    [['stats', 'scout', '--window', '1y']],
  ])('%j: exit 2, nothing asked', async (args) => {
    const { code, err } = await hive(args);
    expect(code).toBe(2);
    expect(err).not.toBe('');
    expect(dashboard.requests).toEqual([]);
  });

  it.each<[args: string[], path: string]>([
    [['thread', 'm1&agent=x'], 'GET /api/messages?thread=m1%26agent%3Dx'],
    [['answer', '../agents', 'x'], 'POST /api/questions/..%2Fagents/answer'],
    [['reminder-cancel', 'r5/../r6'], 'POST /api/reminders/r5%2F..%2Fr6/cancel'],
    [['delivery-retry', 'm1?x'], 'POST /api/deliveries/m1%3Fx/retry'],
    [['wake', '--agent', 'a/b', '--from', 'x', '--body', 'y'], 'POST /api/agents/a%2Fb/wake'],
  ])('%j stays one id, and what the hive says ends with exit 1', async (args, path) => {
    const { code, err } = await hive(args);
    expect(asked().map(([route]) => route)).toEqual([path]);
    expect([code, err]).toEqual([1, expect.stringContaining('does not exist')]);
  });
});
