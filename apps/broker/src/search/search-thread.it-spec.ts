import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { openDatabase } from '#libs/store';

import { verifies } from '../../../../test/requirements/verifies.js';
import { refusal, Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';
import { SearchEngine } from './search-engine.service.js';

const BUILT_PROGRAM = path.resolve('dist/apps/broker/src/search/search-thread.js');

let swarm: Swarm;
const search = async (query: string) => {
  const { messages } = await swarm.broker.dashboard.search({ query }, swarm.context());
  return messages.map((message) => message.id);
};

describe(verifies('1.9') + "the index' thread", () => {
  beforeEach(async () => {
    if (!existsSync(BUILT_PROGRAM)) throw new Error(`${BUILT_PROGRAM} is missing: build first`);
    swarm = await Swarm.open(['alice', 'bob'], { searchProgram: BUILT_PROGRAM });
  });
  afterEach(() => swarm.broker.close());
  afterAll(removeTestFolders);

  it('follows the commits without being asked', async () => {
    // Its file is there.
    expect(await search('needle')).toEqual([]);
    await swarm.send('alice', 'bob', 'needle');
    swarm.clock.advance(250);
    const reader = openDatabase({
      path: path.join(swarm.broker.dir, 'search.db'),
      synchronous: 'NORMAL',
      readonly: true,
    });
    const cursor = reader
      .prepare<[], number>(`SELECT value FROM meta WHERE key = 'cursor'`)
      .pluck();
    await expect.poll(() => cursor.get()).toBe(1);
    reader.close();
  });

  it('is started again when it dies; searches are refused meanwhile and messages are not', async () => {
    await swarm.send('alice', 'bob', 'needle 1');
    expect(await search('needle')).toEqual(['m1']);
    swarm.broker.app.get(SearchEngine).restart();
    // Asked of the thread that dies, or of none.
    expect(await refusal(search('needle'))).toBe('unavailable');
    await swarm.send('alice', 'bob', 'needle 2');
    expect(await refusal(search('needle'))).toBe('unavailable');
    swarm.clock.advance(1000);
    expect(await search('needle')).toEqual(['m2', 'm1']);
  });

  it('is waited for when the broker closes, and refuses what is asked then', async () => {
    await swarm.send('alice', 'bob', 'needle');
    const asked = refusal(search('needle'));
    await swarm.broker.close();
    expect([undefined, 'unavailable']).toContain(await asked);
    expect(await refusal(search('needle'))).toBe('unavailable');
    // Its log is gone only when its connection was closed.
    expect(readdirSync(swarm.broker.dir)).toContain('search.db');
    expect(readdirSync(swarm.broker.dir)).not.toContain('search.db-wal');
    await swarm.reopen({ searchProgram: BUILT_PROGRAM });
    expect(await search('needle')).toEqual(['m1']);
  });
});
