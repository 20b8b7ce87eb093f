import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { C0reAnswers, OperationRow } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reFixture } from '../testing/c0re.fixture.js';
import { refusal } from '../testing/refusal.js';

/** The machine may be busy. */
const PATIENT = { timeout: 20_000 };

type Waiting = C0reAnswers['waiting_operations'];

let hive: C0reFixture;
beforeEach(async () => {
  hive = await C0reFixture.started();
  await hive.spawn('ada');
  await hive.spawn('bob');
});
afterEach(async () => {
  await hive.remove();
});

const waiting = (after = '') =>
  hive.getJson<Waiting>('scheduler', `/v1/operations/waiting?after=${encodeURIComponent(after)}`);
const run = (id: string) =>
  hive.post<C0reAnswers['run_operation']>('scheduler', `/v1/operations/${id}/run`);

async function ask(url: string): Promise<OperationRow> {
  return (await hive.post<C0reAnswers['operation']>('admin', url)).operation;
}
async function stateOf(id: string): Promise<string | undefined> {
  const page = await hive.getJson<C0reAnswers['operations']>('admin', '/v1/operations?limit=100');
  return page.operations.find((row) => row.id === id)?.state;
}

describe(verifies('P27') + 'the turn of an operation', () => {
  it('is its job’s while the scheduler is there, and the poll is answered when it is asked for', async () => {
    const { version } = await waiting();
    const next = waiting(version);
    const { id } = await ask('/v1/agents/ada/restart');
    expect((await next).operations).toEqual([{ id, steps: [] }]);
    expect(await stateOf(id)).toBe('queued');
    expect(await run(id)).toEqual({ id, state: 'done' });
    expect(await hive.agent('ada')).toMatchObject({ state: 'running', instance: 2 });
    expect(await run(id)).toEqual({ id, state: 'done' });
    expect((await hive.agent('ada')).instance).toBe(2);
  });

  it('comes by a step for the whole', async () => {
    await waiting();
    const { id } = await ask('/v1/restart-all');
    const [operation] = (await waiting()).operations;
    expect(operation).toMatchObject({ id, steps: [expect.any(String), expect.any(String)] });
    const [first = '', second = ''] = operation?.steps ?? [];
    expect(await Promise.all([run(first), run(second)])).toMatchObject([
      { state: 'done' },
      { state: 'done' },
    ]);
    expect(await run(id)).toEqual({ id, state: 'done' });
  });

  it('comes without a job when that does not come, and at once when no scheduler is there', async () => {
    const alone = await hive.verb('ada', 'restart');
    expect(alone.state).toBe('done');
    await waiting();
    const { id } = await ask('/v1/agents/ada/restart');
    await expect.poll(() => stateOf(id), PATIENT).toBe('done');
  });

  it('does not hold up a stop', async () => {
    await waiting();
    const { id } = await ask('/v1/agents/ada/restart');
    expect((await hive.verb('bob', 'stop')).state).toBe('done');
    expect((await hive.verb('ada', 'stop')).state).toBe('done');
    expect(await run(id)).toEqual({ id, state: 'cancelled' });
  });

  it.each(['o999', 'o0', 'x', 'a1', '1'])('is nobody’s for %s', async (id) => {
    expect(await refusal(run(id))).toMatchObject({ code: 'not_found' });
  });
});
