import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { C0reAnswers, OperationRow, TombstoneRow } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reFixture } from '../testing/c0re.fixture.js';
import { FakeBroker } from '../testing/fake-broker.js';
import { refusal } from '../testing/refusal.js';

/** The machine may be busy. */
const PATIENT = { timeout: 20_000 };

let hive: C0reFixture;
let broker: FakeBroker;

beforeEach(async () => {
  hive = new C0reFixture();
  broker = new FakeBroker(hive.runtimeDir);
  await broker.listen();
  await hive.start();
});
afterEach(async () => {
  await hive.remove();
  await broker.close();
});

async function tombstones(): Promise<TombstoneRow[]> {
  return (await hive.getJson<C0reAnswers['tombstones']>('admin', '/v1/tombstones')).tombstones;
}

/** An agent with something in its state folder, destroyed. */
async function destroyed(name: string, note = 'kept'): Promise<TombstoneRow> {
  await hive.spawn(name);
  writeFileSync(hive.agentPath(name, 'state', 'note.md'), note);
  await hive.verb(name, 'destroy');
  return (await tombstones()).find((row) => row.name === name) as TombstoneRow;
}

const note = (name: string) => readFileSync(hive.agentPath(name, 'state', 'note.md'), 'utf8');
const events = (kind: string) => broker.events.filter((event) => event.kind === kind);

describe(verifies('4.1', 'P25') + 'a destroyed agent', () => {
  it('is listed as a tombstone, and so published', async () => {
    const row = await destroyed('ada');
    expect(row).toMatchObject({ name: 'ada', role: 'agent', driver: 'command' });
    expect(row.deployed_sha).toMatch(/^[0-9a-f]{40}$/);
    await expect
      .poll(() => events('tombstone_added'), PATIENT)
      .toEqual([{ kind: 'tombstone_added', tombstone: row }]);
  });

  it('lives again with its state, its id and a new token', async () => {
    const { agent_id } = await destroyed('ada');
    const before = broker.agents.get(agent_id)?.token_hash;
    expect(await hive.verb('ada', 'revive')).toMatchObject({ state: 'done', kind: 'revive' });
    expect(await hive.agent('ada')).toMatchObject({ agent_id, state: 'running', instance: 2 });
    expect(note('ada')).toBe('kept');
    expect(broker.agents.get(agent_id)).toMatchObject({ state: 'running' });
    expect(broker.agents.get(agent_id)?.token_hash).not.toBe(before);
    expect(existsSync(hive.agentPath('ada', 'run', 'token'))).toBe(true);
    expect(await tombstones()).toEqual([]);
    await expect
      .poll(() => events('tombstone_removed'), PATIENT)
      .toMatchObject([{ agent_id, name: 'ada', version: 2 }]);
  });

  it('keeps its state while another has its name, and gets the name back afterwards', async () => {
    const first = await destroyed('ada', 'first');
    await hive.spawn('ada');
    const error = await refusal(hive.verb('ada', 'revive', { agent_id: first.agent_id }));
    expect(error).toMatchObject({ code: 'name_taken' });
    writeFileSync(hive.agentPath('ada', 'state', 'note.md'), 'second');
    await hive.verb('ada', 'destroy');
    expect((await tombstones()).map(({ agent_id }) => agent_id)).toEqual(['2', first.agent_id]);
    await hive.verb('ada', 'revive', { agent_id: first.agent_id });
    expect(note('ada')).toBe('first');
    await hive.verb('ada', 'destroy');
    await hive.verb('ada', 'revive', { agent_id: '2' });
    expect(note('ada')).toBe('second');
  });
});

describe(verifies('4.1', 'P25') + 'purge', () => {
  it('removes all that is kept, tells the broker once, and frees the name', async () => {
    const { agent_id } = await destroyed('ada');
    expect(await hive.verb('ada', 'purge', { confirm: 'ada' })).toMatchObject({ state: 'done' });
    expect(await tombstones()).toEqual([]);
    for (const folder of ['agents', 'applied']) {
      expect(existsSync(path.join(hive.home, folder, 'ada'))).toBe(false);
      expect(readdirSync(path.join(hive.home, folder, '.kept'))).toEqual([]);
    }
    expect(existsSync(path.join(hive.home, 'logs', 'agents', 'ada.log'))).toBe(false);
    await expect.poll(() => broker.purged, PATIENT).toEqual([agent_id]);
    await expect.poll(() => events('tombstone_removed'), PATIENT).toHaveLength(1);
    expect((await hive.spawn('ada')).state).toBe('done');
    expect((await hive.agent('ada')).agent_id).not.toBe(agent_id);
  });

  it('touches nothing that links in there lead to', async () => {
    const outside = path.join(hive.root, 'outside');
    mkdirSync(outside);
    writeFileSync(path.join(outside, 'precious'), 'x');
    await hive.spawn('ada');
    const state = hive.agentPath('ada', 'state');
    symlinkSync(outside, path.join(state, 'folder'));
    symlinkSync(path.join(outside, 'precious'), path.join(state, 'file'));
    await hive.verb('ada', 'destroy');
    expect((await hive.verb('ada', 'purge', { confirm: 'ada' })).state).toBe('done');
    expect(readFileSync(path.join(outside, 'precious'), 'utf8')).toBe('x');
  });

  it.each<[string, object, string]>([
    ['without confirm', {}, 'invalid_request'],
    ['with another name', { confirm: 'bob' }, 'invalid_request'],
    ['of an unknown id', { confirm: 'ada', agent_id: '99' }, 'not_found'],
    ['with an id that is none', { confirm: 'ada', agent_id: '1 OR 1' }, 'invalid_request'],
    ['with more', { confirm: 'ada', force: true }, 'unknown_field'],
  ])('is refused %s', async (_name, body, code) => {
    await destroyed('ada');
    expect(await refusal(hive.verb('ada', 'purge', body))).toMatchObject({ code });
    expect(await tombstones()).toHaveLength(1);
  });

  it('is refused for a living agent, and for one that never was', async () => {
    await hive.spawn('ada');
    const asked = (name: string) => refusal(hive.verb(name, 'purge', { confirm: name }));
    expect(await asked('ada')).toMatchObject({ code: 'conflict' });
    expect(await asked('bob')).toMatchObject({ code: 'not_found' });
    expect(await refusal(hive.verb('ada', 'revive'))).toMatchObject({ code: 'conflict' });
  });
});

describe(verifies('4.1') + 'rebuild', () => {
  it('brings back what is gone: token, folders, a stopped harness', async () => {
    await hive.spawn('ada');
    await hive.verb('ada', 'stop');
    const token = hive.agentPath('ada', 'run', 'token');
    const before = readFileSync(token, 'utf8');
    writeFileSync(hive.agentPath('ada', 'state', 'note.md'), 'kept');
    expect((await hive.verb('ada', 'rebuild')).state).toBe('done');
    expect(readFileSync(token, 'utf8')).toBe(before);
    rmSync(hive.agentPath('ada', 'run'), { recursive: true });
    expect((await hive.verb('ada', 'rebuild')).state).toBe('done');
    expect(readFileSync(token, 'utf8')).not.toBe(before);
    expect(await hive.agent('ada')).toMatchObject({ state: 'running', instance: 3 });
    expect(note('ada')).toBe('kept');
  });

  it('makes an agent whose spawn failed', async () => {
    const inTheWay = path.join(hive.home, 'agents', 'ada');
    mkdirSync(inTheWay);
    expect((await hive.spawn('ada')).state).toBe('failed');
    rmdirSync(inTheWay);
    expect((await hive.verb('ada', 'rebuild')).state).toBe('done');
    expect((await hive.agent('ada')).state).toBe('running');
  });
});

const all = (verb: string) => hive.operation(`/v1/${verb}`, { reason: 'new model' });
const steps = async (parent: string): Promise<OperationRow[]> => {
  const { operations } = await hive.getJson<C0reAnswers['operations']>(
    'admin',
    '/v1/operations?limit=200',
  );
  return operations.filter((row) => row.parent === parent);
};

describe(verifies('4.1', '4.7', 'P24') + 'all agents together', () => {
  it('restarts the manager first and the others when it is back, in one window', async () => {
    for (const name of ['ada', 'bob', 'eve']) await hive.spawn(name);
    await hive.spawn('manager', ['idle'], { role: 'manager' });
    await hive.verb('eve', 'stop');
    const done = await all('restart-all');
    expect(done).toMatchObject({ state: 'done', agent: null, parent: null });
    const rows = await steps(done.id);
    expect(rows.map(({ agent, kind, state }) => [agent, kind, state])).toEqual(
      expect.arrayContaining([
        ['manager', 'restart', 'done'],
        ['bob', 'restart', 'done'],
        ['ada', 'restart', 'done'],
      ]),
    );
    expect(rows).toHaveLength(3);
    const time = (name: string, field: 'started_at' | 'ended_at') =>
      Date.parse(rows.find(({ agent }) => agent === name)?.[field] ?? '');
    expect(time('ada', 'started_at')).toBeGreaterThanOrEqual(time('manager', 'ended_at'));
    const window = broker.calls.filter((call) => call.endsWith(` ${done.id}`));
    expect(window).toEqual([`open ${done.id}`, `close ${done.id}`]);
    expect(await hive.agent('eve')).toMatchObject({ state: 'stopped', instance: 1 });
    expect(await hive.agent('ada')).toMatchObject({ state: 'running', instance: 2 });
  });

  it('leaves the others alone when the manager does not come back', async () => {
    await hive.spawn('ada');
    await hive.spawn('manager', ['idle'], { role: 'manager' });
    broker.keepsWindows = true;
    const failed = await all('restart-all');
    expect(failed).toMatchObject({ state: 'failed', error: expect.stringContaining('manager') });
    expect(await hive.agent('ada')).toMatchObject({ state: 'running', instance: 1 });
    expect((await steps(failed.id)).map(({ agent, state }) => [agent, state])).toEqual(
      expect.arrayContaining([
        ['ada', 'cancelled'],
        ['manager', 'done'],
      ]),
    );
  });

  it('rebuilds all by update-all, tells the manager of each, and merges what waits', async () => {
    await hive.spawn('ada');
    await hive.spawn('manager', ['idle'], { role: 'manager' });
    expect(await all('update-all')).toMatchObject({ state: 'done', kind: 'update_all' });
    await expect
      .poll(() => broker.news.map(({ event }) => event), PATIENT)
      .toEqual(['spawned', 'rebuilt']);
    expect(broker.news.at(-1)?.body).toMatch(/^ada was rebuilt \(operation o\d+/);
  });
});
