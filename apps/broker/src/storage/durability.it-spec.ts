import { statSync } from 'node:fs';
import path from 'node:path';

import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { migrate, openDatabase } from '#libs/store';

import { verifies } from '../../../../test/requirements/verifies.js';
import { settled, Swarm, watch } from '../testing/swarm.js';
import { removeTestFolders, temporaryFolder } from '../testing/test-broker.js';
import { ThreadsDb } from './threads.db.js';
import { THREADS_MIGRATIONS } from './threads.migrations.js';

/** WAL bytes that a message of 1 KiB may cost (PERFORMANCE target 5). */
const WAL_BYTES = 2560;
const BATCH = 128;

let swarm: Swarm;
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

const db = () => swarm.broker.app.get(ThreadsDb).db;
const deliveries = (state: string) =>
  db().prepare('SELECT count(*) FROM deliveries WHERE state = ?').pluck().get(state) as number;

describe(verifies('1.1', '1.2') + 'threads.db', () => {
  it('survives power loss: synchronous is FULL on the connection that writes', async () => {
    swarm = await Swarm.open(['alice']);
    expect(db().pragma('synchronous', { simple: true })).toBe(2);
  });

  it('is migrated twice without harm', async () => {
    const folder = temporaryFolder();
    const plain = openDatabase({ path: path.join(folder, 'threads.db'), synchronous: 'FULL' });
    migrate(plain, THREADS_MIGRATIONS);
    migrate(plain, THREADS_MIGRATIONS);
    plain.close();
    swarm = await Swarm.open(['alice', 'bob'], { dbDir: folder });
    await expect(swarm.send('alice', 'bob', 'hi')).resolves.toBeDefined();
  });

  it('refuses a second broker and says who holds it', async () => {
    swarm = await Swarm.open(['alice']);
    await expect(Swarm.open(['alice'], { dbDir: swarm.broker.dir })).rejects.toThrow(
      `in use by the broker (process ${process.pid})`,
    );
  });

  it('takes at most 2.5 KB of WAL and one commit per 1 KiB message and batch, at a million rows', async () => {
    let commits = 0;
    const agents = Array.from({ length: BATCH }, (_, n) => `a${n}`);
    swarm = await Swarm.open([...agents, 'bob', 'carol'], {
      confirmWithinMs: 1000,
      faults: {
        afterCommit: () => {
          commits += 1;
        },
      },
    });
    fill(1_000_000);
    db().pragma('wal_autocheckpoint = 0');
    db().pragma('wal_checkpoint(TRUNCATE)');
    commits = 0;
    const batches = 8;
    for (let n = 0; n < batches; n += 1) {
      const body = String(n).padStart(1024, 'x');
      swarm.clock.advance(5);
      const ids = agents.map(() => swarm.broker.requestId());
      await Promise.all(
        agents.map((agent, i) =>
          swarm.send(agent, i % 2 ? 'bob' : 'carol', body, { request_id: ids[i] }),
        ),
      );
      void swarm.written(...ids);
    }
    expect(commits).toBe(batches);
    const bytes = statSync(path.join(swarm.broker.dir, 'threads.db-wal')).size;
    expect(bytes / (batches * BATCH)).toBeLessThan(WAL_BYTES);
  }, 120_000);
});

describe(verifies('P3') + 'a crash', () => {
  it('before the commit undoes a send and its hand-out; nobody was told of either (EXECUTIONS H5)', async () => {
    let armed = false;
    swarm = await Swarm.open(['alice', 'bob'], {
      faults: {
        beforeCommit: () => {
          if (armed) throw new Error('crash');
        },
      },
    });
    const waiting = watch(swarm.recv('bob', { wait_ms: 10_000 }));
    await settled();
    armed = true;
    const sent = watch(swarm.send('alice', 'bob', 'hi'));
    await settled();
    expect([waiting, sent]).toEqual([{}, {}]);
    swarm.crash();
    await swarm.reopen();
    expect(deliveries('queued') + deliveries('leased')).toBe(0);
  });

  it('after the commit keeps both: the message comes back marked, never unmarked (EXECUTIONS H5)', async () => {
    let armed = false;
    swarm = await Swarm.open(['alice', 'bob'], {
      faults: {
        afterCommit: () => {
          if (armed) throw new Error('crash');
        },
      },
    });
    const waiting = watch(swarm.recv('bob', { wait_ms: 10_000, session: 'a' }));
    await settled();
    armed = true;
    const sent = watch(swarm.send('alice', 'bob', 'hi'));
    await settled();
    expect([waiting, sent]).toEqual([{}, {}]);
    swarm.crash();
    await swarm.reopen();
    expect(deliveries('leased')).toBe(1);
    const again = await swarm.recv('bob', { session: 'a' });
    expect(again.messages).toMatchObject([{ id: 'm1', redelivered: true, attempt: 1 }]);
  });

  it('between the end of a turn and its telemetry row loses neither', async () => {
    let armed = false;
    swarm = await Swarm.open(['alice', 'bob'], {
      faults: {
        afterCommit: () => {
          if (armed) throw new Error('crash');
        },
      },
    });
    await swarm.hello('bob');
    await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob');
    armed = true;
    void swarm.end(turn);
    await settled();
    swarm.crash();
    await swarm.reopen();
    const turns = async () =>
      (await swarm.broker.dashboard.agent_turns({ agent: 'bob' }, swarm.context())).turns;
    await expect.poll(() => db().prepare('SELECT journaled FROM turns').pluck().get()).toBe(1);
    expect(await turns()).toMatchObject([
      { turn_id: turn.turn_id, result_kind: 'ok', input_tokens: 10, output_tokens: 5 },
    ]);
    expect(await swarm.end(turn)).toMatchObject({ outcome: 'repeated', acked: ['m1'] });
  });
});

/** Makes the tables as long as they are after `rows` messages that were delivered. */
function fill(rows: number): void {
  const series = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})`;
  db().exec(`
    ${series} INSERT INTO messages (id, thread, from_agent, from_name, from_kind, to_names, kind, priority,
      broadcast, hop, may_repeat, sent_at, body)
      SELECT i, NULL, i % 100 + 1, 'a', 'agent', 'b', 'message', 'normal', 0, 0, 0, i, 'old' FROM n;
    ${series} INSERT INTO deliveries (message, recipient, state, priority, sender, limited, eager, since)
      SELECT i, i % 100 + 1, 'acked', 1, i % 100 + 1, 1, 0, i FROM n;
    ${series} INSERT INTO requests (id, method, caller, at, absorbs, answer)
      SELECT printf('00000000-%04x-7000-8000-%012x', i / 1000, i), 'send', 1, i, 1, '{}' FROM n;
  `);
}
