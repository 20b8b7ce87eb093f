import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LIMITS, type HiveEvent, type NeedsYou, type NewHiveEvent } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { mergeChanges } from '../events/changes.js';
import { EventHydrator } from '../events/event-hydrator.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import type { OutboxRow } from '../outbox/change-set.js';
import { Asking } from '../questions/testing/asking.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';

let swarm: Swarm;
let committed: OutboxRow[];
const asking = new Asking(() => swarm);
beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob']);
  await swarm.hello('bob');
  committed = [];
  swarm.broker.app.get(ChangeLog).onCommitted((row) => committed.push(row));
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

async function list(): Promise<NeedsYou[]> {
  return (await swarm.broker.dashboard.needs_you({}, swarm.context())).needs_you;
}

/** What the event stream learns of what was committed since the last call. */
function events<K extends HiveEvent['kind']>(kind: K): Extract<NewHiveEvent, { kind: K }>[] {
  const all = swarm.broker.app.get(EventHydrator).events(mergeChanges(committed.splice(0)));
  return all.filter((event): event is Extract<NewHiveEvent, { kind: K }> => event.kind === kind);
}

/** A turn of bob's that the operator cancelled: what it held is held. */
async function cancelled(): Promise<void> {
  const turn = await swarm.turn('bob');
  await swarm.broker.dashboard.command({ agent: 'bob', kind: 'cancel' }, swarm.context());
  await swarm.end(turn, { result_kind: 'cancelled' });
}

/** Bob writes to itself until nobody is woken any more. */
async function pastHops(): Promise<void> {
  await swarm.send('alice', 'bob', 'ping');
  let turn = await swarm.turn('bob');
  for (let n = 0; n <= LIMITS.hops; n += 1) {
    await swarm.send(turn, 'bob', `again ${n}`);
    if (n === LIMITS.hops) await swarm.send(turn, 'bob', 'and again');
    await swarm.end(turn);
    if (n < LIMITS.hops) turn = await swarm.turn('bob');
  }
}

describe(verifies('7.2') + 'needs you', () => {
  it('has the open questions to the operator, and only those', async () => {
    await asking.ask('alice', 'May  I\ndeploy?');
    await asking.ask('alice', 'Tea?', { to: 'bob' });
    const entry = {
      kind: 'question',
      key: 'question:q1',
      id: 'q1',
      agent: 'alice',
      title: 'May I deploy?',
      since: '2026-01-01T00:00:00.000Z',
      count: 1,
    };
    expect(await list()).toEqual([entry]);
    expect(events('needs_you_changed')).toMatchObject([{ needs_you: [entry] }]);
    await asking.operatorAnswers('q2', 'no');
    expect(events('needs_you_changed')).toEqual([]);
    await asking.operatorAnswers('q1', 'yes');
    expect(events('needs_you_changed')).toMatchObject([{ needs_you: [] }]);
    expect(await list()).toEqual([]);
  });

  it.each<[string, (id: string) => Promise<unknown>]>([
    ['cancelled by its asker', (id) => asking.cancel('alice', id)],
    ['cancelled by the operator', (id) => asking.operatorCancels(id)],
    ['expired', () => swarm.pass(61)],
    ['left behind', () => swarm.putAgent('alice', { state: 'destroyed' })],
  ])('forgets a question that was %s', async (_how, end) => {
    const { id } = await asking.ask('alice', 'May I?', { ttl_seconds: 60 });
    committed = [];
    await end(id);
    expect(await list()).toEqual([]);
    expect(events('needs_you_changed')).toMatchObject([{ needs_you: [] }]);
  });

  it('has each dead delivery with its reason, until it is tried again', async () => {
    const { id } = await swarm.send('alice', 'bob', 'poison');
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await swarm.end(await swarm.turn('bob'), { result_kind: 'failed', note: 'boom' });
      await swarm.pass(60);
    }
    const delivery = `${id}.${swarm.id('bob')}`;
    const [entry] = await list();
    expect(entry).toMatchObject({
      kind: 'dead_delivery',
      key: `dead_delivery:${delivery}`,
      id: delivery,
      agent: 'bob',
      count: 1,
    });
    expect(entry?.title).toContain('from alice');
    expect(entry?.title).toContain('boom');
    expect(events('needs_you_changed')).toMatchObject([{ needs_you: [{ id: delivery }] }]);
    await swarm.broker.dashboard.retry_delivery({ id: delivery }, swarm.context());
    expect(events('needs_you_changed')).toMatchObject([{ needs_you: [] }]);
    await swarm.end(await swarm.turn('bob'));
    expect(await list()).toEqual([]);
  });

  it('leaves out what nobody can try again: dead deliveries of a destroyed agent', async () => {
    await swarm.send('alice', 'bob', 'poison');
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await swarm.end(await swarm.turn('bob'), { result_kind: 'failed' });
      await swarm.pass(60);
    }
    committed = [];
    await swarm.putAgent('bob', { state: 'destroyed' });
    expect(events('needs_you_changed')).toMatchObject([{ needs_you: [] }]);
    await swarm.putAgent('bob', { state: 'running' });
    expect(events('needs_you_changed')).toMatchObject([{ needs_you: [{ agent: 'bob' }] }]);
  });

  it('has what a cancelled turn left, in one entry per agent, until the operator says go on', async () => {
    await swarm.send('alice', 'bob', 'one', { priority: 'low' });
    await swarm.send('alice', 'bob', 'two');
    await cancelled();
    expect(await list()).toMatchObject([
      { kind: 'held_cancelled', key: 'held_cancelled:bob', id: 'bob', agent: 'bob', count: 2 },
    ]);
    expect(events('needs_you_changed')).toMatchObject([{ needs_you: [{ count: 2 }] }]);
    await swarm.broker.dashboard.release({ agent: 'bob' }, swarm.context());
    expect(events('needs_you_changed')).toMatchObject([{ needs_you: [] }]);
    expect(await list()).toEqual([]);
  });

  it('has what is past the hop limit, until the operator says go on', async () => {
    await pastHops();
    const waits = { kind: 'hop_limit', key: 'hop_limit:bob', id: 'bob', count: 2 };
    expect(await list()).toMatchObject([waits]);
    expect(events('needs_you_changed')).toMatchObject([{ needs_you: [waits] }]);
    swarm.crash();
    await swarm.reopen();
    expect(await list()).toMatchObject([waits]);
    await swarm.broker.dashboard.release({ agent: 'bob' }, swarm.context());
    expect(await list()).toEqual([]);
  });

  it('forgets what is past the hop limit when another message takes it along', async () => {
    await pastHops();
    committed = [];
    await swarm.operatorSends('bob', 'look');
    const turn = await swarm.turn('bob');
    expect(turn.messages).toHaveLength(3);
    expect(events('needs_you_changed')).toMatchObject([{ needs_you: [] }]);
    await swarm.end(turn, { result_kind: 'rate_limited' });
    expect(events('needs_you_changed')).toMatchObject([{ needs_you: [{ count: 2 }] }]);
  });

  it('has failed reminders of living agents', async () => {
    swarm.broker.app
      .get(ThreadsDb)
      .db.prepare(
        `INSERT INTO reminders (owner, message, hop, state, due_at, next_attempt_at, created_at, last_error)
         VALUES (?, 'x', 0, 'failed', 0, 0, 0, 'disk full')`,
      )
      .run(swarm.id('bob'));
    const [entry] = await list();
    expect(entry).toMatchObject({ kind: 'reminder_failed', id: 'r1', agent: 'bob' });
    expect(entry?.title).toContain('disk full');
    await swarm.putAgent('bob', { state: 'destroyed' });
    expect(await list()).toEqual([]);
  });

  it('is oldest first, and the same in the snapshot', async () => {
    await asking.ask('alice', 'first');
    swarm.clock.advance(1000);
    await swarm.send('alice', 'bob', 'work');
    await cancelled();
    swarm.clock.advance(1000);
    await asking.ask('bob', 'third');
    expect((await list()).map(({ key }) => key)).toEqual([
      'question:q1',
      'held_cancelled:bob',
      'question:q2',
    ]);
    const snapshot = await swarm.broker.dashboard.snapshot({ messages: 0 }, swarm.context());
    expect(snapshot.needs_you).toEqual(await list());
    expect(snapshot.questions).toMatchObject([{ id: 'q2' }, { id: 'q1' }]);
  });

  it('costs an ordinary message nothing: no event, no list', async () => {
    await asking.ask('alice', 'May I?');
    committed = [];
    await swarm.send('alice', 'bob', 'hi');
    await swarm.end(await swarm.turn('bob'));
    expect(committed.some(({ changes }) => changes.needs_you)).toBe(false);
  });
});

describe(verifies('7.1', 'P38') + 'the events of a question', () => {
  it('tell its whole row when it is asked and when it is over', async () => {
    const { id } = await asking.ask('alice', 'Tea?', { to: 'bob' });
    expect(events('question_added')).toMatchObject([{ question: { id, state: 'open' } }]);
    await asking.answer('bob', id, 'yes');
    const [event] = events('question_resolved');
    expect(event?.question).toMatchObject({ id, state: 'answered', answered_by: 'bob' });
    await asking.ask('bob', 'Milk?');
    expect(events('question_added')[0]?.question.version).toBeGreaterThan(
      event?.question.version ?? Infinity,
    );
  });
});
