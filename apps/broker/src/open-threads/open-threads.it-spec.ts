import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { OpenThreads } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { Asking } from '../questions/testing/asking.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { refusal, Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';
import { OpenThreadRows } from './open-thread-rows.js';

let swarm: Swarm;
const asking = new Asking(() => swarm);
beforeEach(async () => {
  swarm = await Swarm.open(['manager', 'alice', 'bob', 'carol']);
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

/** A reminder's row, as whoever makes reminders writes it. */
function remind(owner: string, message: string, state = 'pending'): void {
  const now = swarm.clock.now();
  swarm.broker.app
    .get(ThreadsDb)
    .db.prepare(
      `INSERT INTO reminders (owner, message, hop, state, due_at, next_attempt_at, created_at)
       VALUES (?, ?, 0, ?, ?, ?, ?)`,
    )
    .run(swarm.id(owner), message, state, now + 60_000, now + 60_000, now);
}

const ids = ({ threads }: OpenThreads) => threads.map(({ id }) => id);

describe(verifies('2.4') + 'open threads', () => {
  it("are an agent's questions both ways, pending reminders and unacked messages, oldest first", async () => {
    await asking.ask('alice', 'May I?', { options: ['yes'], ttl_seconds: 3600 });
    swarm.clock.advance(1000);
    await asking.ask('bob', 'Tea?', { to: 'alice' });
    swarm.clock.advance(1000);
    remind('alice', 'look again');
    remind('alice', 'given up', 'failed');
    remind('bob', 'not hers');
    swarm.clock.advance(1000);
    await swarm.send('carol', 'alice', 'hello');
    await swarm.send('alice', 'carol', 'not hers either');
    await asking.ask('bob', 'May I, too?');
    swarm.clock.advance(1500);
    expect(await asking.threads('alice')).toEqual({
      threads: [
        {
          kind: 'question',
          id: 'q1',
          asker: 'alice',
          target: null,
          question: 'May I?',
          options: ['yes'],
          multi: false,
          deadline_at: '2026-01-01T01:00:00.000Z',
          age_seconds: 4,
        },
        {
          kind: 'question',
          id: 'q2',
          asker: 'bob',
          target: 'alice',
          question: 'Tea?',
          options: [],
          multi: false,
          age_seconds: 3,
        },
        {
          kind: 'message',
          id: 'm1',
          from: 'bob',
          to: 'alice',
          state: 'queued',
          thread_id: 'm1',
          body: 'Tea?',
          age_seconds: 3,
        },
        {
          kind: 'reminder',
          id: 'r1',
          owner: 'alice',
          message: 'look again',
          due_at: '2026-01-01T00:01:02.000Z',
          age_seconds: 2,
        },
        {
          kind: 'message',
          id: 'm2',
          from: 'carol',
          to: 'alice',
          state: 'queued',
          thread_id: 'm2',
          body: 'hello',
          age_seconds: 1,
        },
      ],
    });
    const { threads } = await swarm.broker.dashboard.agent_threads(
      { agent: 'alice' },
      swarm.context(),
    );
    expect(threads).toHaveLength(5);
  });

  it('leave when they are over, and show what a turn works on as leased', async () => {
    await swarm.hello('alice');
    const { id } = await asking.ask('bob', 'Tea?', { to: 'alice' });
    const turn = await swarm.turn('alice');
    expect((await asking.threads('alice')).threads).toMatchObject([
      { id },
      { id: 'm1', state: 'leased' },
    ]);
    await asking.answer(turn, id, 'yes');
    await swarm.end(turn);
    expect(await asking.threads('alice')).toEqual({ threads: [] });
    expect(ids(await asking.threads('bob'))).toEqual(['m2']);
  });

  it("of the hive are the manager's, who reads no bodies that are not its own (P34)", async () => {
    await asking.ask('alice', 'May I?');
    await asking.ask('bob', 'Tea?', { to: 'carol' });
    remind('bob', 'look again');
    await swarm.send('alice', 'bob', 'between us');
    await swarm.send('alice', 'manager', 'for you');
    await swarm.send('alice', 'operator', 'for you, too');
    expect(await refusal(asking.threads('alice', 'hive'))).toBe('forbidden');
    const hive = await asking.threads('manager', 'hive');
    expect(ids(hive).toSorted()).toEqual(['m1', 'm2', 'm3', 'm4', 'q1', 'q2', 'r1']);
    expect(hive.threads.filter(({ kind }) => kind === 'message')).toMatchObject([
      { id: 'm1', body: '', to: 'carol' },
      { id: 'm2', body: '', to: 'bob' },
      { id: 'm3', body: 'for you' },
      { id: 'm4', body: '', to: 'operator' },
    ]);
    expect(ids(await asking.threads('manager'))).toEqual(['m3']);
    expect(ids(await asking.threads('manager', 'mine'))).toEqual(['m3']);
  });

  it('show the beginning of what is long, and stop at 500 rows', async () => {
    for (let n = 0; n < 501; n += 1) await swarm.send('alice', 'operator', `${n}`);
    await swarm.operatorSends('carol', 'y'.repeat(300));
    const hive = await asking.threads('manager', 'hive');
    expect(hive.truncated).toBe(true);
    expect(hive.threads).toHaveLength(500);
    expect(hive.threads.at(-1)).toMatchObject({ id: 'm500' });
    const [row] = (await asking.threads('carol')).threads;
    expect(row).toMatchObject({ body: `${'y'.repeat(199)}…` });
  });

  it.each<[string, object, string]>([
    ['an unknown scope', { scope: 'all' }, 'invalid_request'],
    ['a scope that is no text', { scope: 7 }, 'invalid_request'],
    ['another field', { of: 'bob' }, 'unknown_field'],
  ])('are refused for %s', async (_what, params, code) => {
    const call = { credential: swarm.token('manager'), ...params } as never;
    expect(
      await refusal((async () => swarm.broker.gateway.get_open_threads(call, swarm.context()))()),
    ).toBe(code);
  });

  it.each(['nobody', 'operator', '\u202ebob', ''])('of %j are refused', async (agent) => {
    expect(['not_found', 'invalid_request']).toContain(
      await refusal(
        (async () => swarm.broker.dashboard.agent_threads({ agent }, swarm.context()))(),
      ),
    );
  });

  it('are read from partial indexes, not by going through what is done', () => {
    const { db } = swarm.broker.app.get(ThreadsDb);
    const statements = Object.values(swarm.broker.app.get(OpenThreadRows)).filter(
      (value): value is { source: string } => typeof value === 'object' && 'source' in value,
    );
    expect(statements.length).toBe(6);
    for (const { source } of statements) {
      const plan = db
        .prepare(`EXPLAIN QUERY PLAN ${source}`)
        .all(...Array.from({ length: source.split('?').length - 1 }, () => 1)) as {
        detail: string;
      }[];
      for (const { detail } of plan.filter((step) => step.detail.startsWith('SCAN')))
        expect(detail).toMatch(/USING (COVERING )?INDEX|SCAN o$/);
    }
  });
});
