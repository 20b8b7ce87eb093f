import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { FIRST_TASK } from '../seed/swarm.js';
import { SmallHive } from '../testing/small-hive.js';
import { CHARACTERS } from './index.js';

function wordsOf({ sent }: SmallHive): string[] {
  return sent.map(({ from, to, body }) => `${from} to ${to}: ${body}`);
}

const LONG = 'x'.repeat(4000);

describe(verifies('10.1') + 'the conversation of the demo', () => {
  it('begins with the first task, grows past ten messages of four senders, and ends', async () => {
    const hive = new SmallHive();
    hive.say('operator', { to: 'manager', body: FIRST_TASK }, 0);
    await hive.run();
    const byAgents = hive.sent.filter(({ from }) => Object.hasOwn(CHARACTERS, from));
    expect(byAgents.length).toBeGreaterThanOrEqual(20);
    expect(byAgents.length).toBeLessThan(40);
    expect(new Set(byAgents.map(({ from }) => from))).toEqual(new Set(Object.keys(CHARACTERS)));
    expect(byAgents.filter(({ in_reply_to }) => in_reply_to !== undefined).length).toBeGreaterThan(
      12,
    );
    const threads = new Set(byAgents.map(({ thread_id }) => thread_id));
    expect(threads.size).toBeGreaterThan(3);
    expect(Math.max(...hive.sent.map(({ hop }) => hop))).toBeLessThan(32);
    const reports = hive.sent.filter(({ to }) => to === 'operator').map(({ body }) => body);
    expect(reports.at(-1)).toBe(
      '“announcement: release of Beacon 1.4” is done: looked into by forager, carried out by builder, checked twice by guard.',
    );
    expect(hive.statuses).toContain('plans “prepare the release of Beacon 1.4”');
  });

  it.each([false, true])(
    'asks the operator, tells everybody, and looks again when reminded (each turn given again: %s)',
    async (redeliver) => {
      const hive = new SmallHive(redeliver);
      hive.say('operator', { to: 'manager', body: FIRST_TASK }, 0);
      await hive.run();
      expect(hive.asks).toMatchObject([
        {
          target: 'operator',
          question: '“release of Beacon 1.4” is ready. When may the announcement go out?',
          options: ['now', 'tomorrow morning', 'not at all'],
        },
      ]);
      const [toAll, ...others] = hive.sent.filter(({ to }) => to === '*');
      expect([toAll?.from, others]).toEqual(['manager', []]);
      const heard = hive.sent.filter(({ thread_id: thread }) => thread === toAll?.id);
      expect(heard.map(({ from }) => from).toSorted()).toEqual([
        'builder',
        'forager',
        'guard',
        'manager',
      ]);
      expect(hive.reminders.map(({ owner, message }) => [owner, message])).toEqual([
        ['guard', 'Look at “prepare the release of Beacon 1.4” once more.'],
        ['guard', 'Look at “announcement: release of Beacon 1.4” once more.'],
      ]);

      const before = hive.sent.length;
      hive.remindAll();
      await hive.run();
      hive.answer('manager', 'tomorrow morning');
      await hive.run();
      expect(wordsOf(hive).slice(before)).toEqual([
        'reminder to guard: Look at “prepare the release of Beacon 1.4” once more.',
        'reminder to guard: Look at “announcement: release of Beacon 1.4” once more.',
        'guard to manager: I looked at “prepare the release of Beacon 1.4” once more, as I had set myself: still clean.',
        'guard to manager: I looked at “announcement: release of Beacon 1.4” once more, as I had set myself: still clean.',
        'operator to manager: tomorrow morning',
        'manager to operator: Understood, the announcement of “release of Beacon 1.4”: tomorrow morning.',
      ]);
    },
  );

  it.each(['[expired]', '[cancelled]'])('lets it rest when the question is %s', async (outcome) => {
    const hive = new SmallHive();
    hive.say('system', { to: 'manager', body: outcome }, 0, 'answer');
    await hive.run();
    expect(hive.sent).toHaveLength(1);
  });

  it('says nothing twice when every turn is given again', async () => {
    const [once, twice] = [new SmallHive(), new SmallHive(true)];
    for (const hive of [once, twice]) {
      hive.say('operator', { to: 'manager', body: FIRST_TASK }, 0);
      await hive.run();
    }
    expect(wordsOf(twice)).toEqual(wordsOf(once));
  });

  it('takes a second task of the operator through the swarm in one round', async () => {
    const hive = new SmallHive();
    hive.say('operator', { to: 'manager', body: FIRST_TASK }, 0);
    await hive.run();
    const before = hive.sent.length;
    hive.say('operator', { to: 'manager', body: 'Please tidy up the archive.' }, 0);
    await hive.run();
    const more = hive.sent.slice(before);
    expect(more.at(-1)).toMatchObject({
      from: 'manager',
      to: 'operator',
      body: expect.stringContaining('“tidy up the archive” is done') as string,
    });
    expect(more.length).toBeLessThan(16);
    expect(more.filter(({ from }) => from === 'self')).toEqual([]);
  });

  it('passes a question on to the one whom the operator names', async () => {
    const hive = new SmallHive();
    hive.say('operator', { to: 'manager', body: 'Ask guard whether the tests are green' }, 0);
    await hive.run();
    expect(hive.sent.map(({ from, to }) => `${from}>${to}`)).toEqual([
      'operator>manager',
      'manager>operator',
      'manager>guard',
      'guard>manager',
      'manager>operator',
    ]);
    expect(hive.sent.at(-1)?.body).toMatch(/^guard says:\n> On “Ask guard whether/);
  });

  it.each([
    ['hello', /^Hello!/],
    ['Good morning!', /^Hello!/],
    ['thanks a lot', /welcome|Gladly|Any time/],
    ['How far are you?', /^Nothing so far|^I /],
    ['What is the status', /Nothing so far/],
    ['Is the parser safe?', /^About “Is the parser safe”/],
    ['Please count the bees, all of them.', /^Understood: “count the bees”/],
    [LONG, /^Understood: “x{69}…”/],
    ['?', /./],
    ['\n\n', /./],
  ])('every worker answers %j of the operator, in the thread', async (body, words) => {
    for (const name of ['forager', 'builder', 'guard']) {
      const hive = new SmallHive(true);
      const { id } = hive.say('operator', { to: name, body }, 0);
      await hive.run(10);
      const [, answer] = hive.sent;
      expect(answer).toMatchObject({ from: name, to: 'operator', in_reply_to: id });
      expect(answer?.body).toMatch(words);
      expect(Buffer.byteLength(answer?.body ?? '')).toBeLessThan(4096);
    }
  });

  it('finishes a task of its own in a second turn', async () => {
    const hive = new SmallHive(true);
    const { id } = hive.say('operator', { to: 'builder', body: 'Mend the fence' }, 0);
    await hive.run(10);
    expect(hive.sent.at(-1)).toMatchObject({
      from: 'builder',
      to: 'operator',
      in_reply_to: id,
      body: expect.stringMatching(/^Done: “Mend the fence”/) as string,
    });
  });

  it.each(['manager', 'forager', 'builder', 'guard'])(
    '%s starts no storm, whoever writes what to it',
    async (name) => {
      for (const from of ['forager', 'builder', 'guard', 'manager', 'system', 'stranger']) {
        for (const body of ['hello', 'Is it done?', 'do “this”', LONG]) {
          const hive = new SmallHive();
          hive.say(from, { to: name, body }, 0);
          await hive.run(20);
          expect(hive.sent.length).toBeLessThan(15);
        }
      }
    },
  );
});
