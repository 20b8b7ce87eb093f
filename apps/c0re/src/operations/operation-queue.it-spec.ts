import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { C0reAnswers, OperationRow } from '#libs/protocol';
import { systemClock, type Clock } from '#libs/service';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reFixture } from '../testing/c0re.fixture.js';
import { refusal } from '../testing/refusal.js';

/** The machine may be busy. */
const PATIENT = { timeout: 20_000 };

let hive: C0reFixture;

beforeEach(async () => {
  hive = await C0reFixture.started();
});
afterEach(async () => {
  await hive.remove();
});

/** Asks and does not wait for the end. */
async function ask(name: string, verb: string): Promise<OperationRow> {
  const answer = await hive.post<C0reAnswers['operation']>('admin', `/v1/agents/${name}/${verb}`);
  return answer.operation;
}

async function operation(id: string): Promise<OperationRow | undefined> {
  const { operations } = await hive.getJson<C0reAnswers['operations']>(
    'admin',
    '/v1/operations?limit=100',
  );
  return operations.find((row) => row.id === id);
}

async function stateOf(id: string): Promise<string | undefined> {
  return (await operation(id))?.state;
}

/** An agent whose restart takes as long as c0re waits for a SIGTERM to be heard. */
async function slowAgent(): Promise<void> {
  await hive.spawn('slow', ['deaf']);
  await expect.poll(() => hive.noted('slow', 'ready.json'), PATIENT).toBeGreaterThan(0);
}

/** Only the longest wait is cut short: it is longer than any other that c0re makes here. */
const HURRIED: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic(),
  after: (ms, run) => systemClock.after(ms >= 100_000 ? 50 : ms, run),
};

describe(verifies('4.1', 'P27') + 'the line of operations', () => {
  it('runs one at a time, in order, and merges one that waits already', async () => {
    await hive.spawn('ada');
    await hive.spawn('bob');
    await slowAgent();
    const slow = await ask('slow', 'restart');
    const first = await ask('ada', 'restart');
    const other = await ask('bob', 'restart');
    const same = await ask('ada', 'restart');
    expect(same.id).toBe(first.id);
    expect([await stateOf(slow.id), await stateOf(first.id)]).toEqual(['running', 'queued']);
    await expect.poll(() => stateOf(other.id), PATIENT).toBe('done');
    const rows = await Promise.all([slow, first, other].map(({ id }) => operation(id)));
    const times = rows.flatMap((row) =>
      [row?.started_at, row?.ended_at].map((t) => Date.parse(t ?? '')),
    );
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect((await hive.agent('ada')).instance).toBe(2);
  });

  it('does not let a stop wait behind another agent', async () => {
    await hive.spawn('ada');
    await slowAgent();
    const slow = await ask('slow', 'restart');
    const stop = await hive.verb('ada', 'stop');
    expect(stop.state).toBe('done');
    expect(await stateOf(slow.id)).toBe('running');
    expect(await hive.agent('ada')).toMatchObject({ state: 'stopped' });
  });

  it('takes back what was to start an agent that is stopped meanwhile', async () => {
    await hive.spawn('ada');
    await slowAgent();
    await ask('slow', 'restart');
    const restart = await ask('ada', 'restart');
    const stop = await hive.verb('ada', 'stop');
    expect(await operation(restart.id)).toMatchObject({
      state: 'cancelled',
      error: `the agent was stopped by operation ${stop.id}`,
    });
    const start = await ask('ada', 'start');
    await expect.poll(() => stateOf(start.id), PATIENT).toBe('done');
    expect(await hive.agent('ada')).toMatchObject({ state: 'running', instance: 2 });
  });

  it('takes nothing but destroy for an agent that is being destroyed', async () => {
    await hive.spawn('ada');
    await slowAgent();
    await ask('slow', 'restart');
    const destroy = await ask('ada', 'destroy');
    expect((await ask('ada', 'destroy')).id).toBe(destroy.id);
    for (const verb of ['start', 'stop', 'restart']) {
      const error = await refusal(ask('ada', verb));
      expect(error).toMatchObject({
        code: 'conflict',
        message: `ada is being destroyed by operation ${destroy.id}`,
      });
    }
  });

  it('keeps who asked, why, when, and the error', async () => {
    const failed = await hive.operation('/v1/agents', {
      name: 'ada',
      config: { driver: 'command', command: ['idle'] },
      reason: 'to see it',
    });
    expect(failed).toMatchObject({
      state: 'done',
      asked_by: 'operator (admin socket)',
      reason: 'to see it',
      error: null,
    });
    const { asked_at, started_at, ended_at } = failed;
    expect([asked_at, started_at, ended_at].every((time) => time?.endsWith('Z'))).toBe(true);
  });

  it('is paged, newest first', async () => {
    await hive.spawn('ada');
    await hive.verb('ada', 'stop');
    await hive.verb('ada', 'start');
    const page = (query: string) =>
      hive.getJson<C0reAnswers['operations']>('admin', `/v1/operations?${query}`);
    const first = await page('limit=2');
    expect(first.operations.map(({ kind }) => kind)).toEqual(['start', 'stop']);
    const second = await page(`limit=2&before=${first.next}`);
    expect(second.operations.map(({ kind }) => kind)).toEqual(['spawn']);
    expect(second.next).toBeUndefined();
  });
});

describe(verifies('4.1') + 'one failing agent', () => {
  it('stops neither the line nor the end of all others', async () => {
    await hive.spawn('ada', ['exit', '1']);
    await hive.spawn('bob');
    await expect.poll(async () => (await hive.agent('ada')).state, PATIENT).toBe('crashed');
    expect((await hive.verb('bob', 'restart')).state).toBe('done');
    await hive.post('admin', '/v1/agents/stop-all');
    expect((await hive.agent('bob')).pid).toBeNull();
    const error = await refusal(ask('bob', 'start'));
    expect(error).toMatchObject({ code: 'unavailable' });
  });
});

describe(verifies('4.1', 'P25') + 'a caller that waits for an operation', () => {
  it('is told that it still runs before its own patience ends', async () => {
    await hive.remove();
    hive = await C0reFixture.started({ clock: HURRIED });
    await hive.spawn('ada');
    // A destroy is over when the broker has heard of it, and there is none.
    const destroy = await hive.verb('ada', 'destroy');
    expect(destroy.kind).toBe('destroy');
    expect(['queued', 'running']).toContain(destroy.state);
    await expect.poll(() => stateOf(destroy.id), PATIENT).toBe('running');
  });
});
