import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { SearchIndex } from '../search/search-index.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { TelemetryJournal } from '../telemetry/telemetry.journal.js';
import { refusal, settled, Swarm, watch } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';
import { MESSAGE_WALK_SQL, MESSAGES_PER_STEP } from './message-walk.js';
import { ROW_WALK_SQL, ROWS_PER_STEP } from './row-walks.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

let swarm: Swarm;
let crashes = false;
const faults = {
  beforeCommit: () => {
    if (crashes) throw new Error('crash');
  },
};

beforeEach(async () => {
  crashes = false;
  swarm = await Swarm.open(['alice', 'bob', 'carol', 'dave'], { faults });
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

const db = () => swarm.broker.app.get(ThreadsDb).db;
const sweep = async () => swarm.broker.scheduler.sweep_retention({}, swarm.context());

/** Sweeps until there is no more; what was removed altogether. */
async function sweepAll(): Promise<{ messages: number; questions: number; reminders: number }> {
  const sum = { messages: 0, questions: 0, reminders: 0 };
  for (let more = true; more;) {
    const answer = await sweep();
    sum.messages += answer.messages;
    sum.questions += answer.questions;
    sum.reminders += answer.reminders;
    more = answer.more;
  }
  return sum;
}

/** A day at once: no alarm of the broker matters here. */
function days(count: number): void {
  swarm.clock.stall(count * DAY_MS);
}

const kept = () => db().prepare<[], number>('SELECT id FROM messages ORDER BY id').pluck().all();
const all = (table: string, but = '1') =>
  db().prepare(`SELECT * FROM ${table} WHERE ${but} ORDER BY 1, 2`).all();

/** A message that dave was handed and acked; nobody else writes to him. */
async function acked(body = 'done'): Promise<string> {
  const { id } = await swarm.send('alice', 'dave', body);
  await swarm.recv('dave');
  await swarm.broker.gateway.ack(
    { credential: swarm.token('dave'), session: 'session', ids: [id] },
    swarm.context(),
  );
  return id;
}

function setDelivery(id: string, columns: string): void {
  db().exec(`UPDATE deliveries SET ${columns} WHERE message = ${id.slice(1)}`);
}

/** Rows of messages that were acked long ago, from the clock's time on. */
function fill(count: number, from = 1): void {
  const now = swarm.clock.now();
  db().exec(`
    WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${from + count - 1})
    INSERT INTO messages (id, thread, from_agent, from_name, from_kind, to_names, kind, priority,
      broadcast, hop, may_repeat, sent_at, body)
      SELECT i, NULL, 1, 'alice', 'agent', 'bob', 'message', 'normal', 0, 0, 0, ${now}, 'old' FROM n;
    WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${from + count - 1})
    INSERT INTO deliveries (message, recipient, state, priority, sender, limited, eager, since)
      SELECT i, 2, 'acked', 1, 1, 1, 0, ${now} FROM n;
  `);
}

describe(verifies('1.10') + 'retention of messages', () => {
  it('removes what was acked or cancelled and is older than 30 days, and not a day earlier', async () => {
    await acked();
    const second = await swarm.send('alice', 'bob', 'cancelled');
    setDelivery(second.id, `state = 'cancelled'`);
    days(29);
    expect(await sweepAll()).toEqual({ messages: 0, questions: 0, reminders: 0 });
    days(2);
    await acked('young');
    expect(await sweepAll()).toEqual({ messages: 2, questions: 0, reminders: 0 });
    expect(kept()).toEqual([3]);
    expect(all('deliveries')).toHaveLength(1);
    expect(all('forgotten')).toMatchObject([{ messages: '[1,2]' }]);
  });

  it('never removes what is queued, leased, dead, held, unread by the operator or asked', async () => {
    const queued = await swarm.send('alice', 'bob', 'queued');
    const leased = await swarm.send('alice', 'carol', 'leased');
    await swarm.recv('carol');
    const dead = await swarm.send('alice', 'bob', 'dead');
    setDelivery(dead.id, `state = 'dead'`);
    const held = await swarm.send('alice', 'bob', 'held');
    setDelivery(held.id, 'held = 1');
    const unread = await swarm.send('alice', 'operator', 'unread');
    const asked = await acked('asked');
    db()
      .exec(`INSERT INTO questions (asker, target, question, options, multi, hop, asked_at, asked_message, state)
      VALUES (1, 2, 'asked', '[]', 0, 0, 0, ${asked.slice(1)}, 'open')`);
    const half = await acked('half a broadcast');
    db().exec(`INSERT INTO broadcast_chunks VALUES (${half.slice(1)}, 1, '[3]')`);
    const partly = await acked('to two');
    db()
      .exec(`INSERT INTO deliveries (message, recipient, state, priority, sender, limited, eager, since)
      VALUES (${partly.slice(1)}, 3, 'queued', 1, 1, 1, 0, 0)`);
    await acked('gone');
    const before = all('deliveries', `message <> 9`);
    days(1000);
    expect(await sweepAll()).toEqual({ messages: 1, questions: 0, reminders: 0 });
    const ids = [queued, leased, dead, held, unread].map((sent) => sent.id);
    expect(kept().map((id) => `m${id}`)).toEqual([...ids, asked, half, partly]);
    expect(all('deliveries')).toEqual(before);

    // And goes when it is over.
    await swarm.broker.dashboard.mark_read({ id: unread.id }, swarm.context());
    db().exec(`UPDATE questions SET state = 'answered'; DELETE FROM broadcast_chunks`);
    setDelivery(dead.id, `state = 'acked'`);
    swarm.clock.stall(HOUR_MS);
    expect((await sweepAll()).messages).toBe(4);
    expect(kept().map((id) => `m${id}`)).toEqual([queued.id, leased.id, held.id, partly]);
  });

  it('rests for an hour when it has seen everything', async () => {
    days(40);
    expect(await sweepAll()).toMatchObject({ messages: 0 });
    await acked();
    db().exec('UPDATE messages SET sent_at = 0');
    swarm.clock.stall(HOUR_MS - 1);
    expect(await sweep()).toMatchObject({ messages: 0, more: false });
    swarm.clock.stall(1);
    expect(await sweep()).toMatchObject({ messages: 1 });
  });

  it('goes in bounded steps past what has to stay, on from its cursor after a restart', async () => {
    fill(3 * MESSAGES_PER_STEP + 10);
    // A whole page and more of old ones that stay.
    db().exec(`UPDATE deliveries SET state = 'dead' WHERE message <= ${MESSAGES_PER_STEP + 100}`);
    days(31);
    expect(await sweep()).toMatchObject({ messages: 0, more: true });
    expect(await sweep()).toMatchObject({ messages: MESSAGES_PER_STEP - 100, more: true });
    await swarm.broker.close();
    await swarm.reopen({ faults });
    expect(await sweep()).toMatchObject({ messages: MESSAGES_PER_STEP, more: true });
    expect(await sweep()).toMatchObject({ messages: 10, more: false });
    expect(kept()).toHaveLength(MESSAGES_PER_STEP + 100);
    // From the beginning again: what was dead and is over now.
    db().exec(`UPDATE deliveries SET state = 'acked' WHERE message = 7`);
    swarm.clock.stall(HOUR_MS);
    expect((await sweepAll()).messages).toBe(1);
    expect(kept()).not.toContain(7);
  });

  it('is not held up by messages of a clock that was ahead', async () => {
    fill(2 * MESSAGES_PER_STEP);
    db().exec(`UPDATE messages SET sent_at = sent_at + ${100 * DAY_MS} WHERE id BETWEEN 5 AND 300`);
    days(31);
    expect((await sweepAll()).messages).toBe(2 * MESSAGES_PER_STEP - 296);
  });

  it('ends a step early after broadcasts to many', async () => {
    fill(20);
    db().exec(`
      WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 1002)
      INSERT INTO deliveries (message, recipient, state, priority, sender, limited, eager, since)
        SELECT m.id, i, 'acked', 1, 1, 1, 0, 0 FROM n, messages AS m WHERE m.id <= 10`);
    days(31);
    expect(await sweep()).toMatchObject({ messages: 2, more: true });
    expect((await sweepAll()).messages).toBe(18);
    expect(all('deliveries')).toEqual([]);
  });

  it('loses nothing and repeats itself when it crashes in the middle', async () => {
    fill(MESSAGES_PER_STEP + 5);
    days(31);
    expect(await sweep()).toMatchObject({ messages: MESSAGES_PER_STEP });
    crashes = true;
    const lost = watch(sweep());
    await settled();
    expect(lost).toEqual({});
    swarm.crash();
    crashes = false;
    await swarm.reopen({ faults });
    expect(kept()).toHaveLength(5);
    expect(await sweepAll()).toMatchObject({ messages: 5 });
    expect(all('deliveries')).toEqual([]);
    expect(all('forgotten')).toHaveLength(2);
  });

  it('shows nothing of what it removed, and goes on with the rest of the thread', async () => {
    const root = await acked('root');
    const reply = await swarm.send('dave', 'alice', 'reply', { in_reply_to: root });
    days(31);
    expect((await sweepAll()).messages).toBe(1);
    const thread = async (id: string) =>
      swarm.broker.gateway.get_thread({ credential: swarm.token('dave'), id }, swarm.context());
    for (const id of [root, reply.id])
      expect(await thread(id)).toMatchObject({ thread_id: root, messages: [{ id: reply.id }] });
    const call = { credential: swarm.token('carol'), id: root };
    await expect(async () =>
      swarm.broker.gateway.get_thread(call, swarm.context()),
    ).rejects.toMatchObject({ code: 'not_found' });

    // Its sender, whose part in it needs no delivery.
    const reAsked = { credential: swarm.token('alice'), id: root };
    await expect(async () =>
      swarm.broker.gateway.get_thread(reAsked, swarm.context()),
    ).rejects.toMatchObject({ code: 'not_found' });

    const toRoot = await swarm.send('dave', 'alice', 'to root', { in_reply_to: root });
    expect(toRoot).toMatchObject({ thread_id: toRoot.id });
    const toNone = await swarm.send('dave', 'alice', 'to none', { in_reply_to: 'm999' });
    expect(toRoot.note).toBe(toNone.note);
    expect(toRoot.note).toContain('no longer kept');
    const toReply = await swarm.send('dave', 'alice', 'to reply', { in_reply_to: reply.id });
    expect(toReply).toMatchObject({ thread_id: root });
    expect(toReply.note).toBeUndefined();

    const { messages } = await swarm.broker.dashboard.messages({ thread: root }, swarm.context());
    expect(messages.map((message) => message.id)).toEqual([toReply.id, reply.id]);
    const gone = swarm.broker.dashboard.mark_read({ id: root }, swarm.context());
    expect(await refusal(Promise.resolve(gone))).toBe('not_found');
  });

  it('never gives the id of a removed message again', async () => {
    await acked();
    days(31);
    expect((await sweepAll()).messages).toBe(1);
    await swarm.broker.close();
    await swarm.reopen({ faults });
    expect((await swarm.send('alice', 'bob', 'next')).id).toBe('m2');
  });

  it('has the search index forget them, and the list of them emptied', async () => {
    const find = async () => {
      const { messages } = await swarm.broker.dashboard.search(
        { query: 'needle' },
        swarm.context(),
      );
      return messages.map((message) => message.id);
    };
    await acked('needle one');
    await acked('needle two');
    expect(await find()).toEqual(['m2', 'm1']);
    days(31);
    await acked('needle three');
    expect((await sweepAll()).messages).toBe(2);
    expect(await find()).toEqual(['m3']);
    swarm.clock.advance(250);
    await expect.poll(() => all('forgotten')).toEqual([]);
    // The index itself has forgotten them, and not only their rows are gone.
    await swarm.broker.close();
    const index = new SearchIndex(swarm.broker.dir);
    expect(index.find({ match: '"needle"', limit: 10 })).toEqual([3]);
    index.close();
    await swarm.reopen({ faults });
  });

  it('keeps as long as it is told', async () => {
    await swarm.broker.close();
    await swarm.reopen({ retention: { messageDays: 2, turnDays: 400, eventDays: 14 } });
    await acked();
    days(1);
    expect((await sweepAll()).messages).toBe(0);
    days(1);
    expect((await sweepAll()).messages).toBe(1);
  });

  it(verifies('6.5') + 'keeps live events as long as it is told', async () => {
    const { events } = swarm.broker.app.get(TelemetryJournal).store;
    const at = new Date(swarm.clock.now()).toISOString();
    events.store({ id: 1, agent: 'bob' }, [{ n: 0, at, kind: 'text' }], swarm.clock.now());
    await swarm.broker.close();
    await swarm.reopen({ retention: { messageDays: 30, turnDays: 400, eventDays: 2 } });
    const left = () => swarm.broker.app.get(TelemetryJournal).store.events.inTurn(1, 10);
    swarm.clock.stall(DAY_MS);
    swarm.clock.advance(HOUR_MS);
    expect(left()).toHaveLength(1);
    swarm.clock.stall(DAY_MS);
    swarm.clock.advance(HOUR_MS);
    expect(left()).toEqual([]);
  });

  it('refuses parameters', async () => {
    await expect(async () =>
      swarm.broker.scheduler.sweep_retention({ days: 1 } as never, swarm.context()),
    ).rejects.toMatchObject({ code: 'unknown_field' });
  });
});

describe(verifies('1.10') + 'retention of what belongs to messages', () => {
  it('removes closed questions, ended reminders and their messages, and leaves what is open', async () => {
    const now = swarm.clock.now();
    db().exec(`
      INSERT INTO questions (id, asker, target, question, options, multi, hop, asked_at, state, resolved_at) VALUES
        (1, 1, 0, 'q', '[]', 0, 0, ${now}, 'open', NULL),
        (2, 1, 0, 'q', '[]', 0, 0, ${now}, 'answered', ${now}),
        (3, 1, 0, 'q', '[]', 0, 0, ${now}, 'expired', ${now + 2 * DAY_MS});
      INSERT INTO reminders (id, owner, message, hop, state, due_at, next_attempt_at, created_at, ended_at) VALUES
        (1, 1, 'r', 0, 'pending', ${now}, ${now}, ${now}, NULL),
        (2, 1, 'r', 0, 'delivered', ${now}, ${now}, ${now}, ${now}),
        (3, 1, 'r', 0, 'cancelled', ${now}, ${now}, ${now}, ${now}),
        (4, 1, 'r', 0, 'failed', ${now}, ${now}, ${now}, ${now}),
        (5, 1, 'r', 0, 'delivered', ${now}, ${now}, ${now}, ${now + 2 * DAY_MS});
      INSERT INTO reminder_messages VALUES (1, 1, 1, ${now}, 1), (1, 2, 2, ${now + 2 * DAY_MS}, 1)`);
    days(30);
    expect(await sweepAll()).toEqual({ messages: 0, questions: 1, reminders: 2 });
    expect(all('questions')).toMatchObject([{ id: 1 }, { id: 3 }]);
    expect(all('reminders')).toMatchObject([{ id: 1 }, { id: 4 }, { id: 5 }]);
    expect(all('reminder_messages')).toMatchObject([{ occurrence: 2 }]);
  });

  it('removes turns that telemetry.db has, and revoked runs, not those in force', async () => {
    await swarm.hello('bob');
    await swarm.send('alice', 'bob', 'one');
    const turn = await swarm.turn('bob');
    await swarm.end(turn);
    await expect.poll(() => all('turns', 'journaled = 1')).toHaveLength(1);
    await swarm.hello('bob', 2);
    await swarm.send('alice', 'bob', 'two');
    await swarm.turn('bob', { instance: 2 });
    expect(all('runs', 'revoked = 1')).toMatchObject([{ token_hash: turn.run }]);
    days(30);
    await sweepAll();
    expect(all('turns')).toMatchObject([{ id: 2, ended_at: null }]);
    expect(all('runs')).toMatchObject([{ revoked: 0 }]);
    // Its telemetry is still there.
    const { turns } = await swarm.broker.dashboard.agent_turns({ agent: 'bob' }, swarm.context());
    expect(turns.map((row) => row.turn_id)).toEqual(['t2', 't1']);
    const events = await swarm.broker.dashboard.agent_events(
      { agent: 'bob', turn_id: 't1' },
      swarm.context(),
    );
    expect(events).toEqual({ events: [] });
  });

  it('removes the wakes of restarts whose message is gone, step by step', async () => {
    const message = await acked();
    fill(ROWS_PER_STEP + 5, 100);
    db().exec(`
      UPDATE deliveries SET state = 'queued' WHERE message > 100;
      INSERT INTO restart_wakes SELECT 1, printf('o%d', id), id FROM messages WHERE id > 100;
      INSERT INTO restart_wakes VALUES (2, 'o1', ${message.slice(1)})`);
    days(31);
    expect(await sweep()).toMatchObject({ messages: 2, more: true });
    await sweepAll();
    expect(all('restart_wakes')).toHaveLength(ROWS_PER_STEP + 4);
    expect(all('restart_wakes', 'agent = 2')).toEqual([]);
  });
});

describe(verifies('1.10') + 'a step of retention', () => {
  const bounded: [string, string][] = Object.entries({ ...MESSAGE_WALK_SQL, ...ROW_WALK_SQL });

  it.each(bounded)('finds its rows by an index or the rowid, and sorts nothing: %s', (_, sql) => {
    const plan = db()
      .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...(sql.match(/\?/g) ?? []).map(() => 1));
    const bad = plan.filter(
      ({ detail }) => detail.startsWith('SCAN') || detail.includes('TEMP B-TREE'),
    );
    expect(bad.map(({ detail }) => detail)).toEqual([]);
  });

  it.each([
    ['questions', 'questions_resolved'],
    ['reminders', 'reminders_over'],
    ['reminderMessages', 'reminder_messages_recent'],
    ['runs', 'runs_revoked'],
    ['openQuestion', 'questions_open_message'],
  ])('of %s goes by %s, which holds nothing that is open', (name, index) => {
    const sql = { ...MESSAGE_WALK_SQL, ...ROW_WALK_SQL }[name as 'runs'];
    const plan = db().prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(1);
    expect(plan.map(({ detail }) => detail).join('\n')).toContain(index);
  });
});
