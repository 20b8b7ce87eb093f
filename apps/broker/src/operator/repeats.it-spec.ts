import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { Asking } from '../questions/testing/asking.js';
import { reminderCalls } from '../testing/reminder-calls.js';
import { refusal, Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';

let swarm: Swarm;
const reminders = reminderCalls(() => swarm);
const asking = new Asking(() => swarm);

beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob']);
  await swarm.hello('bob');
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

/** What an operator's button does under a request id, and what it is pressed on. */
interface Button {
  /** Makes the row; returns its id. */
  given: () => Promise<string>;
  press: (id: string, request_id?: string) => Promise<unknown>;
  /** Code of the refusal when it is pressed a second time with another id; undefined: it counts again. */
  again?: string;
  left: () => unknown[];
}

const BUTTONS: Record<string, Button> = {
  retry_delivery: {
    given: async () => {
      const { id } = await swarm.send('alice', 'bob', 'poison');
      reminders.sql(`UPDATE deliveries SET state = 'dead' WHERE message = ${id.slice(1)}`);
      return `${id}.${swarm.id('bob')}`;
    },
    press: async (id, request_id) =>
      swarm.broker.dashboard.retry_delivery({ id, request_id }, swarm.context()),
    again: 'conflict',
    left: () => reminders.query(`SELECT state, attempts FROM deliveries`),
  },
  cancel_question: {
    given: async () => (await asking.ask('alice', 'Tea?', { to: 'bob' })).id,
    press: async (id, request_id) =>
      swarm.broker.dashboard.cancel_question({ id, request_id }, swarm.context()),
    again: 'conflict',
    left: () => reminders.query('SELECT id, event FROM messages'),
  },
  retry_reminder: {
    given: async () => {
      const { id } = await reminders.remind('bob', { delay_seconds: 60 });
      reminders.sql(`UPDATE reminders SET state = 'failed', attempt_count = 5`);
      return id;
    },
    press: async (id, request_id) =>
      swarm.broker.dashboard.retry_reminder({ id, request_id }, swarm.context()),
    again: 'conflict',
    left: () => reminders.query('SELECT state, next_attempt_at FROM reminders'),
  },
  cancel_reminder: {
    given: async () => (await reminders.remind('bob', { delay_seconds: 60 })).id,
    press: async (id, request_id) =>
      swarm.broker.dashboard.cancel_reminder({ id, request_id }, swarm.context()),
    again: 'conflict',
    left: () => reminders.query('SELECT state, ended_at FROM reminders'),
  },
  command: {
    given: () => Promise.resolve('bob'),
    press: async (agent, request_id) =>
      swarm.broker.dashboard.command({ agent, kind: 'compact', request_id }, swarm.context()),
    left: () => reminders.query('SELECT id, kind FROM commands'),
  },
};

describe(verifies('P11', '7.6') + 'a button of the operator', () => {
  it.each(Object.entries(BUTTONS))(
    '%s that is sent again after a lost answer counts once, over a crash too',
    async (_name, { given, press, again, left }) => {
      const id = await given();
      const request_id = swarm.broker.requestId();
      const first = await press(id, request_id);
      const after = left();
      expect(Object.keys((await press(id, request_id)) as object)).toEqual(
        Object.keys(first as object),
      );
      swarm.crash();
      await swarm.reopen();
      await press(id, request_id);
      expect(left()).toEqual(after);
      expect(await refusal(press(id, swarm.broker.requestId()))).toBe(again);
      expect(await refusal(press(id))).toBe(again);
    },
  );

  it.each(Object.keys(BUTTONS))(
    '%s refuses what is no request id, and one of another request',
    async (name) => {
      const button = BUTTONS[name];
      const id = (await button?.given()) ?? '';
      for (const bad of ['', 'x', 7, null, '0198c0de-0000-4000-8000-000000000001'])
        expect(await refusal(Promise.resolve().then(() => button?.press(id, bad as string)))).toBe(
          'invalid_request',
        );
      const request_id = swarm.broker.requestId();
      await swarm.operatorSends('bob', 'hi', { request_id } as object);
      expect(await refusal(Promise.resolve().then(() => button?.press(id, request_id)))).toBe(
        'conflict',
      );
    },
  );
});
