import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { isoTime, LIMITS, type ReminderJob } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { reminderCalls } from '../testing/reminder-calls.js';
import { refusal, Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';

let swarm: Swarm;
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

const { remind, fire, list, cancel, row, sql, query, counts } = reminderCalls(() => swarm);
const job = (id: string, occurrence = 1, attempt = 1): ReminderJob => ({
  id,
  occurrence,
  attempt,
});
const breakDown = (id: string) =>
  sql(`CREATE TEMP TRIGGER broken BEFORE INSERT ON reminder_messages WHEN NEW.reminder = ${id.slice(1)}
         BEGIN SELECT RAISE(ABORT, 'no room for it'); END`);

describe(verifies('P22', 'I8') + 'jobs of reminders', () => {
  it('are wanted for what is due within the window only', async () => {
    swarm = await Swarm.open(['alice']);
    const soon = await remind('alice', { delay_seconds: LIMITS.job_window_seconds });
    const later = await remind('alice', { delay_seconds: LIMITS.job_window_seconds + 1 });
    const jobs = query('SELECT job FROM jobs') as { job: string }[];
    expect(jobs.map((wanted) => JSON.parse(wanted.job) as unknown)).toEqual([
      { queue: 'reminders', job_id: `rem-${soon.id}-1-1`, due_at: soon.due_at, data: job(soon.id) },
    ]);
    expect(row(later.id).state).toBe('pending');
  });

  it('fire all that is due with the first of them, each once', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const ids: string[] = [];
    for (const agent of ['alice', 'bob', 'alice'])
      ids.push((await remind(agent, { delay_seconds: 60 })).id);
    const [first = '', second = '', third = ''] = ids;
    swarm.clock.stall(61_000);
    expect(await fire(job(first), job(second))).toEqual([
      { job_id: `rem-${first}-1-1`, outcome: 'done' },
      { job_id: `rem-${second}-1-1`, outcome: 'done' },
    ]);
    expect(row(third).state).toBe('delivered');
    expect((await fire(job(first), job(third))).map(({ outcome }) => outcome)).toEqual([
      'gone',
      'gone',
    ]);
    expect((await swarm.recv('alice', { max: 9 })).messages).toHaveLength(2);
    expect((await swarm.recv('bob', { max: 9 })).messages[0]?.reminder?.late_seconds).toBe(1);
  });

  it('never fire early, also when the wall clock went back', async () => {
    swarm = await Swarm.open(['alice']);
    const { id } = await remind('alice', { delay_seconds: 60 });
    expect(await fire(job(id))).toEqual([
      { job_id: `rem-${id}-1-1`, outcome: 'early', again_in_ms: 60_000 },
    ]);
    swarm.clock.stall(59_999);
    expect((await fire(job(id)))[0]).toMatchObject({ outcome: 'early', again_in_ms: 1 });
    swarm.clock.jump(-3_600_000);
    await swarm.pass(30);
    expect((await fire(job(id)))[0]).toMatchObject({ outcome: 'early' });
    expect((await swarm.recv('alice')).messages).toEqual([]);
    swarm.clock.jump(3_600_000);
    expect((await fire(job(id)))[0]).toMatchObject({ outcome: 'done' });
    swarm.clock.jump(-3_600_000);
    expect((await fire(job(id)))[0]).toMatchObject({ outcome: 'gone' });
    expect((await swarm.recv('alice', { max: 9 })).messages).toHaveLength(1);
  });

  it('of another occurrence or attempt, of cancelled and of unknown ones change nothing', async () => {
    swarm = await Swarm.open(['alice']);
    const { id } = await remind('alice', { delay_seconds: 60 });
    const other = await remind('alice', { delay_seconds: 60 });
    await cancel('alice', other.id);
    const outcomes = await fire(job(id, 2), job(id, 1, 2), job(other.id), job('r999'));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['gone', 'gone', 'gone', 'gone']);
  });

  it.each<[string, unknown]>([
    ['an unknown field', { jobs: [{ id: 'r1', occurrence: 1, attempt: 1, x: 1 }] }],
    ['a foreign id', { jobs: [{ id: 'm1', occurrence: 1, attempt: 1 }] }],
    ['occurrence 0', { jobs: [{ id: 'r1', occurrence: 0, attempt: 1 }] }],
    ['a null', { jobs: [null] }],
    ['no list', { jobs: {} }],
  ])('are refused with %s', async (_what, params) => {
    swarm = await Swarm.open(['alice']);
    expect(
      await refusal(
        (async () => swarm.broker.scheduler.fire_reminders(params as never, swarm.context()))(),
      ),
    ).toBe('invalid_request');
  });

  it('are told to the reconciler in pages, and whether they are still wanted', async () => {
    swarm = await Swarm.open(['alice']);
    const { ReminderJobs } = await import('./reminder-jobs.js');
    const source = swarm.broker.app.get(ReminderJobs);
    const ids: string[] = [];
    for (const delay_seconds of [30, 10, 30, 700, 20])
      ids.push((await remind('alice', { delay_seconds })).id);
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = source.page(after, 2);
      seen.push(...page.jobs.map(({ job_id }) => job_id));
      after = page.next;
    } while (after !== undefined);
    expect(seen).toEqual(['rem-r2-1-1', 'rem-r5-1-1', 'rem-r1-1-1', 'rem-r3-1-1']);
    await cancel('alice', 'r2');
    expect(source.wants([...seen, 'rem-r1-2-1', 'rem-r1-1-2', 'rem-r77-1-1', 'x'])).toEqual(
      seen.slice(1),
    );
  });
});

describe(verifies('3.4', 'P22') + 'a broker without jobs', () => {
  it('delivers what came due while it was away, and says how late it is', async () => {
    swarm = await Swarm.open(['alice']);
    const once = await remind('alice', { delay_seconds: 60 });
    const often = await remind('alice', { delay_seconds: 60, every: 'PT5M' });
    swarm.crash();
    swarm.clock.stall(3_600_000);
    await swarm.reopen();
    await swarm.pass(1);
    const { messages } = await swarm.recv('alice', { max: 9 });
    expect(messages.map(({ reminder }) => reminder)).toEqual([
      { id: once.id, occurrence: 1, due_at: once.due_at, late_seconds: 3541, missed: 0 },
      {
        id: often.id,
        occurrence: 1,
        due_at: isoTime(Date.parse(often.due_at) + 11 * 300_000),
        late_seconds: 241,
        missed: 11,
      },
    ]);
    expect(row(often.id)).toMatchObject({
      state: 'pending',
      occurrence: 2,
      due_at: Date.parse(often.due_at) + 12 * 300_000,
    });
    await swarm.pass(59);
    expect((await swarm.recv('alice', { max: 9 })).messages.at(-1)?.reminder).toMatchObject({
      occurrence: 2,
      late_seconds: 0,
      missed: 0,
    });
  });

  it('delivers once whatever moment it crashes at', async () => {
    for (const point of ['beforeCommit', 'afterCommit'] as const) {
      swarm = await Swarm.open(['alice']);
      await remind('alice', { delay_seconds: 1 });
      await swarm.broker.close();
      let armed = true;
      await swarm.reopen({
        faults: {
          [point]: () => {
            const due = query(`SELECT 1 FROM reminder_messages`).length > 0;
            if (armed && due) throw new Error('crash');
          },
        },
      });
      await swarm.pass(2);
      swarm.crash();
      armed = false;
      await swarm.reopen();
      await swarm.pass(2);
      expect((await swarm.recv('alice', { max: 9 })).messages).toHaveLength(1);
      if (point === 'beforeCommit') await swarm.broker.close();
    }
  });
});

describe(verifies('3.5') + 'a reminder that cannot be delivered', () => {
  it('fails alone, is tried again later each time, rests as failed and can be retried', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const good = await remind('alice', { delay_seconds: 1 });
    const bad = await remind('alice', { delay_seconds: 1 });
    const other = await remind('bob', { delay_seconds: 1 });
    breakDown(bad.id);
    swarm.clock.stall(1000);
    const outcomes = await fire(
      ...[good, bad, other].map(({ id }) => ({ id, occurrence: 1, attempt: 1 })),
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['done', 'failed', 'done']);
    expect(row(bad.id)).toMatchObject({
      state: 'pending',
      attempt_count: 1,
      last_error: 'no room for it',
      last_attempt_at: swarm.clock.now(),
      next_attempt_at: swarm.clock.now() + 5000,
    });
    expect((query('SELECT job FROM jobs') as { job: string }[]).at(-1)?.job).toContain(
      `rem-${bad.id}-1-2`,
    );
    const attempts: number[] = [];
    for (let second = 0; second < 100; second += 1) {
      const before = row(bad.id).attempt_count;
      await swarm.pass(1);
      if (row(bad.id).attempt_count > before) attempts.push(second + 1);
    }
    expect(attempts).toEqual([5, 15, 35, 75]);
    expect(row(bad.id).state).toBe('failed');
    expect(await counts('alice')).toEqual({ pending: 0, delivered_24h: 1, failed: 1 });
    const { reminders_failed } = await swarm.broker.dashboard.snapshot(
      { messages: 0 },
      swarm.context(),
    );
    expect(reminders_failed).toMatchObject([
      { id: bad.id, owner: 'alice', attempt_count: 5, last_error: 'no room for it' },
    ]);
    expect(await list('alice')).toMatchObject([{ id: bad.id, state: 'failed', attempt_count: 5 }]);

    sql('DROP TRIGGER broken');
    await swarm.broker.dashboard.retry_reminder({ id: bad.id }, swarm.context());
    expect(row(bad.id)).toMatchObject({ state: 'pending', attempt_count: 0 });
    await swarm.pass(1);
    expect(row(bad.id).state).toBe('delivered');
    expect((await swarm.recv('alice', { max: 9 })).messages).toHaveLength(2);
    expect(await counts('alice')).toEqual({ pending: 0, delivered_24h: 2, failed: 0 });
  });
});
