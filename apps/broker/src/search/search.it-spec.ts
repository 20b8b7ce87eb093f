import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, afterEach, describe, expect, it } from 'vitest';

import type { BrokerDashboardApi } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { refusal, Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';

let swarm: Swarm;
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

/** Ids that the agent finds, newest first. */
async function found(agent: string, query: string, limit?: number): Promise<string[]> {
  const { messages } = await swarm.broker.gateway.search_messages(
    { credential: swarm.token(agent), query, limit },
    swarm.context(),
  );
  return messages.map((message) => message.id);
}

async function search(
  params: BrokerDashboardApi['search'][0],
): Promise<{ ids: string[]; next?: string }> {
  const { messages, next } = await swarm.broker.dashboard.search(params, swarm.context());
  return { ids: messages.map((message) => message.id), ...(next === undefined ? {} : { next }) };
}

describe(verifies('1.9') + 'search', () => {
  it('finds what was just sent, newest first, by whole words and the beginning of the last', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.send('alice', 'bob', 'The deployment of Köln failed');
    await swarm.send('alice', 'bob', 'deployment done');
    await swarm.send('alice', 'bob', 'see the plan-b file');
    expect(await found('alice', 'deployment')).toEqual(['m2', 'm1']);
    expect(await found('alice', 'DEPLOYMENT koln')).toEqual(['m1']);
    expect(await found('alice', 'depl')).toEqual(['m2', 'm1']);
    expect(await found('alice', 'depl done')).toEqual([]);
    expect(await found('alice', 'plan-b')).toEqual(['m3']);
    expect(await found('alice', 'b-plan')).toEqual([]);
    expect(await found('alice', 'deployment', 1)).toEqual(['m2']);
    expect((await search({ query: 'köln' })).ids).toEqual(['m1']);
  });

  it('shows an agent its messages as get_thread does', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.send('alice', 'bob', 'needle');
    await swarm.recv('bob');
    for (const agent of ['alice', 'bob']) {
      const call = { credential: swarm.token(agent) };
      const hits = await swarm.broker.gateway.search_messages(
        { ...call, query: 'needle' },
        swarm.context(),
      );
      const thread = await swarm.broker.gateway.get_thread({ ...call, id: 'm1' }, swarm.context());
      expect(hits.messages).toEqual(thread.messages);
    }
  });

  it.each([
    ['"NEAR(x', ['m1']],
    ['and', ['m1']],
    ['NEAR(x y)', ['m1']],
    ['left;', ['m1']],
    ['a2*', ['m1']],
    ['drop-table', ['m1']],
    ['said "near', ['m1']],
    ['left -said', ['m1']],
    ['body:said', []],
    ['parties:a1', []],
    ['a1', []],
    ['OR nothing', []],
    ['NOT said', []],
    [Array.from({ length: 240 }, (_, n) => String.fromCodePoint(0x4e00 + n)).join(' '), []],
  ])('takes %j as words, not as syntax', async (query, ids) => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.send('alice', 'bob', 'he said "NEAR(x y)" AND left; drop-table a2*');
    expect(await found('alice', query)).toEqual(ids);
  });

  it('survives a restart, and the loss or damage of search.db, which is only made again', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.send('alice', 'bob', 'needle one');
    expect(await found('alice', 'needle')).toEqual(['m1']);
    const file = path.join(swarm.broker.dir, 'search.db');
    let starts = 0;
    const again = async (between: () => void) => {
      await swarm.broker.close();
      between();
      await swarm.reopen();
      await swarm.send('alice', 'bob', `needle more ${++starts}`);
      return found('alice', 'needle');
    };
    expect(await again(() => expect(existsSync(file)).toBe(true))).toEqual(['m2', 'm1']);
    expect(await again(() => rmSync(file))).toEqual(['m3', 'm2', 'm1']);
    expect(await again(() => writeFileSync(file, 'x'.repeat(9000)))).toHaveLength(4);
    // A search.db that is ahead was made of another threads.db.
    const lost = async () => {
      await swarm.broker.close();
      for (const end of ['', '-wal', '-shm'])
        rmSync(path.join(swarm.broker.dir, `threads.db${end}`), { force: true });
      await swarm.reopen();
    };
    await lost();
    await swarm.send('alice', 'bob', 'other');
    expect(await found('alice', 'needle')).toEqual([]);
    expect(await found('alice', 'other')).toEqual(['m1']);
  });

  it('catches up before it answers when the index is behind', async () => {
    swarm = await Swarm.open(['alice', 'bob'], { maxBatch: 1000 });
    await Promise.all(
      Array.from({ length: 900 }, (_, n) => swarm.operatorSends('bob', `needle ${n}`)),
    );
    expect((await search({ query: 'needle 0' })).ids).toEqual(['m1']);
    expect((await search({ query: 'needle 899' })).ids).toEqual(['m900']);
  });
});

describe(verifies('1.9', 'P34') + 'search_messages', () => {
  it('finds nothing of others, and nothing that the caller was not handed yet', async () => {
    swarm = await Swarm.open(['alice', 'bob', 'carol']);
    await swarm.send('alice', 'bob', 'needle for bob');
    await swarm.operatorSends('carol', 'needle for carol');
    expect(await found('carol', 'needle')).toEqual([]);
    expect(await found('bob', 'needle')).toEqual([]);
    expect(await found('alice', 'needle')).toEqual(['m1']);
    await swarm.recv('bob');
    expect(await found('bob', 'needle')).toEqual(['m1']);
    expect(await found('carol', 'needle')).toEqual([]);
    // The token of another's number in the text is no key to it.
    await swarm.send('carol', 'bob', 'a1 a2 needle');
    expect(await found('alice', 'needle')).toEqual(['m1']);
  });

  it('looks past those that the caller was not handed', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.send('alice', 'bob', 'needle first');
    await swarm.recv('bob');
    for (let n = 0; n < 450; n += 1) await swarm.operatorSends('bob', 'needle later');
    expect(await found('bob', 'needle')).toEqual(['m1']);
  });

  it('is refused to a turn that is over, and to unknown tokens', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.hello('bob');
    await swarm.send('alice', 'bob', 'needle');
    const turn = await swarm.turn('bob');
    const ask = (credential: string) =>
      refusal(
        (async () =>
          swarm.broker.gateway.search_messages({ credential, query: 'needle' }, swarm.context()))(),
      );
    expect(await ask(turn.run)).toBeUndefined();
    await swarm.end(turn);
    expect(await ask('0'.repeat(64))).toBe('unauthorized');
    await swarm.turn('bob').catch(() => {});
    expect(await ask(turn.run)).toBe('superseded');
  });

  it.each<[Record<string, unknown>, string]>([
    [{}, 'query'],
    [{ query: 7 }, 'query'],
    [{ query: '' }, 'query'],
    [{ query: 'x'.repeat(501) }, 'query'],
    [{ query: 'a\0b' }, 'NUL'],
    [{ query: 'a\ud800' }, 'surrogate'],
    [{ query: '\u200f\u202e' }, 'no word'],
    [{ query: '"' }, 'no word'],
    [{ query: 'x', limit: 0 }, 'limit'],
    [{ query: 'x', limit: 51 }, 'limit'],
    [{ query: 'x', limit: '5' }, 'limit'],
    [{ query: 'x', limit: 1.5 }, 'limit'],
    [{ query: 'x', before: 'm1' }, 'before'],
    [{ query: 'x', agent: 'bob' }, 'agent'],
  ])('refuses %j', async (params, why) => {
    swarm = await Swarm.open(['alice']);
    const call = { credential: swarm.token('alice'), ...params } as never;
    await expect(async () =>
      swarm.broker.gateway.search_messages(call, swarm.context()),
    ).rejects.toThrow(why);
  });
});

describe(verifies('1.9') + 'the search of the operator', () => {
  it('sees everything, or what one agent sent or was sent, in pages', async () => {
    swarm = await Swarm.open(['alice', 'bob', 'carol']);
    await swarm.send('alice', 'bob', 'needle 1');
    await swarm.operatorSends('bob', 'needle 2');
    await swarm.send('carol', 'alice', 'needle 3');
    await swarm.send('carol', 'operator', 'needle 4');
    expect(await search({ query: 'needle' })).toEqual({ ids: ['m4', 'm3', 'm2', 'm1'] });
    expect(await search({ query: 'needle', agent: 'alice' })).toEqual({ ids: ['m3', 'm1'] });
    expect(await search({ query: 'needle', agent: 'operator' })).toEqual({ ids: ['m4', 'm2'] });
    expect(await search({ query: 'needle', limit: 3 })).toEqual({
      ids: ['m4', 'm3', 'm2'],
      next: 'm2',
    });
    expect(await search({ query: 'needle', limit: 3, before: 'm2' })).toEqual({ ids: ['m1'] });
    const { messages } = await swarm.broker.dashboard.search(
      { query: 'needle', limit: 1 },
      swarm.context(),
    );
    expect(messages[0]).toMatchObject({ id: 'm4', deliveries: [{ to: 'operator' }] });
  });

  it('counts those to whom a broadcast is still to be delivered among its recipients', async () => {
    swarm = await Swarm.open(['alice', 'bob', 'carol']);
    await swarm.send('alice', 'bob', 'needle');
    swarm.broker.app.get(ThreadsDb).db.exec(`INSERT INTO broadcast_chunks VALUES (1, 2, '[3]')`);
    for (const agent of ['alice', 'bob', 'carol'])
      expect(await search({ query: 'needle', agent })).toEqual({ ids: ['m1'] });
    expect(await search({ query: 'needle', agent: 'operator' })).toEqual({ ids: [] });
    expect(await found('carol', 'needle')).toEqual([]);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ query: 'x', agent: 'nobody' }, 'there is no agent'],
    [{ query: 'x', agent: 'No Body' }, 'agent'],
    [{ query: 'x', before: '12' }, 'before'],
    [{ query: 'x', before: 'q12' }, 'before'],
    [{ query: 'x', limit: 51 }, 'limit'],
    [{ query: 'x\udc00' }, 'surrogate'],
    [{ query: 'x', thread: 'm1' }, 'thread'],
    [{ query: '*' }, 'no word'],
  ])('refuses %j', async (params, why) => {
    swarm = await Swarm.open(['alice']);
    await expect(async () =>
      swarm.broker.dashboard.search(params as never, swarm.context()),
    ).rejects.toThrow(why);
  });
});
