import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { migrate, NewerSchemaError, openDatabase, type Db } from '#libs/store';

import { verifies } from '../../../../test/requirements/verifies.js';
import { Swarm } from '../testing/swarm.js';
import { removeTestFolders, temporaryFolder, tokenOf } from '../testing/test-broker.js';
import { ThreadsDb } from './threads.db.js';
import { THREADS_MIGRATIONS } from './threads.migrations.js';

const NEWEST = THREADS_MIGRATIONS.length;
const OLDER = THREADS_MIGRATIONS.slice(0, -1).map(({ version }) => version);
const STATES = ['queued', 'leased', 'acked', 'dead', 'cancelled'];

let swarm: Swarm | undefined;
afterEach(async () => {
  await swarm?.broker.close();
  swarm = undefined;
});
afterAll(removeTestFolders);

/** A threads.db as the program of that version left it, with a row of every kind. */
function written(version: number): { dir: string; file: string } {
  const dir = temporaryFolder();
  mkdirSync(dir, { recursive: true });
  const file = path.join(dir, 'threads.db');
  const db = openDatabase({ path: file, synchronous: 'FULL' });
  migrate(db, THREADS_MIGRATIONS.slice(0, version));
  db.exec(ROWS_OF_1);
  if (version >= 2) db.exec(ROWS_OF_2);
  if (version >= 3)
    db.exec(`UPDATE reminders SET attempt_count = 2, last_error = 'no room', last_attempt_at = 70`);
  if (version >= 4) db.exec('UPDATE runs SET revoked_at = 80 WHERE revoked = 1');
  if (version >= 5) db.exec(`UPDATE turns SET reminder = 3 WHERE wake_reason = 'reminder'`);
  db.close();
  return { dir, file };
}

const ROWS_OF_1 = `
  INSERT INTO meta VALUES ('registry_revision', 7);
  INSERT INTO agents (id, name, role, driver, token_hash, state, reason, instance, allowed_recipients, quiet_window_ms,
      inbox_limit, run_dir, status_text, turn_state, hello_instance, live_driver, urgent_row, park_streak)
    VALUES (1, 'alice', 'agent', 'command', '${tokenOf(1, 'alice')}', 'running', '', 1, '[]', 0, 1000, '/run/a', 'at work', 'running', 1, 'command', 3, 0),
           (2, 'bob', 'agent', 'command', '${tokenOf(2, 'bob')}', 'running', 'why', 1, '["alice"]', 250, 10, '/run/b', '', 'held', 1, NULL, 0, 2);
  INSERT INTO messages (id, thread, in_reply_to, from_agent, from_name, from_kind, to_names, kind, priority, broadcast, hop,
      may_repeat, cause_turn, cause_message, sent_at, body)
    VALUES (1, NULL, NULL, 2, 'bob', 'agent', 'alice', 'message', 'normal', 0, 0, 0, NULL, NULL, 10, 'queued'),
           (2, 1, 1, 2, 'bob', 'agent', 'alice', 'message', 'urgent', 0, 1, 1, 1, 1, 20, 'leased'),
           (3, NULL, NULL, 2, 'bob', 'agent', '["alice","operator"]', 'message', 'low', 0, 33, 0, NULL, NULL, 30, 'acked'),
           (4, NULL, NULL, 0, 'operator', 'operator', 'alice', 'message', 'normal', 0, 0, 0, NULL, NULL, 40, 'dead ' || char(8238) || ' right to left'),
           (5, NULL, NULL, -1, 'reminder', 'system', 'alice', 'reminder', 'normal', 0, 2, 0, NULL, NULL, 50, 'cancelled');
  INSERT INTO deliveries (message, recipient, state, priority, sender, limited, eager, hand_outs, forgiven, attempts, turn,
      session, written, not_before, held, since, reason)
    VALUES (1, 1, 'queued', 1, 2, 1, 0, 0, 0, 0, NULL, NULL, 0, 0, 0, 10, NULL),
           (2, 1, 'leased', 0, 2, 1, 1, 2, 1, 1, 2, NULL, 1, 0, 0, 20, NULL),
           (3, 1, 'acked', 2, 2, 1, 0, 1, 0, 0, 1, NULL, 1, 0, 0, 30, 'hop_limit'),
           (3, 0, 'queued', 2, 2, 0, 0, 0, 0, 0, NULL, NULL, 0, 0, 0, 30, NULL),
           (4, 1, 'dead', 1, 0, 0, 1, 5, 0, 5, 1, NULL, 0, 0, 0, 40, 'its turn failed 5 times'),
           (5, 1, 'cancelled', 1, -1, 0, 0, 1, 0, 0, 1, NULL, 0, 0, 0, 50, 'discarded');
  INSERT INTO turns (id, agent, instance, run, started_at, wake, wake_reason, wake_from, thread, attempt, redelivered, hop,
      ended_at, ended_by, result_kind, note, acked, returned, telemetry, journaled)
    VALUES (1, 1, 1, 'run-1', 100, 5, 'reminder', 'reminder', 5, 1, 0, 2, 200, 'harness', 'ok', 'a note', '[3]', '[]', NULL, 1),
           (2, 1, 1, 'run-2', 300, 2, 'message', 'bob', 1, 2, 1, 1, NULL, NULL, NULL, '', NULL, NULL, NULL, 0);
  INSERT INTO runs (token_hash, agent, instance, revoked) VALUES ('run-1', 1, 1, 1), ('run-2', 1, 1, 0);
  INSERT INTO commands (agent, turn, kind, asked_at, done_at) VALUES (1, 2, 'cancel', 60, NULL), (1, NULL, 'compact', 61, 62);
  INSERT INTO requests VALUES ('0198c0de-0000-7000-8000-000000000001', 'send', 2, 10, 1, NULL, 's', '{"id":"m1"}');
  INSERT INTO settled_sends (at, requests) VALUES (11, '0198c0de-0000-7000-8000-000000000001');
  INSERT INTO idempotency VALUES (2, 'key', 'content', 1, 10);
  INSERT INTO outbox (changes) VALUES ('{}');`;

const ROWS_OF_2 = `
  UPDATE messages SET detail = '{"reminder":{"id":"r3","occurrence":1,"due_at":"2026-01-01T00:00:00.000Z","late_seconds":0,"missed":0}}' WHERE id = 5;
  UPDATE deliveries SET broadcast = 1 WHERE message = 1;
  UPDATE agents SET sends_per_minute = 5, send_burst = 6, reminders_pending = 7, reminders_per_hour = 8, reminder_burst = 9;
  INSERT INTO broadcast_chunks VALUES (1, 0, '[1,2]');
  INSERT INTO questions (asker, target, question, options, multi, hop, asked_at, deadline_at, state, answer, resolved_at)
    VALUES (1, 0, 'ship it?', '["yes","no"]', 0, 1, 60, NULL, 'open', NULL, NULL),
           (1, 2, 'and you?', '[]', 1, 1, 60, 61, 'expired', NULL, 62);
  INSERT INTO reminders (id, owner, message, hop, state, occurrence, due_at, next_attempt_at, created_at, every)
    VALUES (1, 1, 'later', 0, 'pending', 1, 9000000000000, 9000000000000, 60, NULL),
           (2, 1, 'never', 0, 'failed', 1, 65, 65, 60, NULL),
           (3, 1, 'often', 0, 'paused', 4, 9000000000000, 9000000000000, 60, 'PT1H');
  INSERT INTO reminder_messages VALUES (3, 1, 5, 50, 1);
  INSERT INTO jobs (job) VALUES ('{}');
  INSERT INTO restart_windows VALUES (2, 'o1', 99, 'restarted');
  INSERT INTO restart_wakes VALUES (2, 'o0', 1);
  INSERT INTO forgotten (messages) VALUES ('[9]');`;

type Row = Record<string, unknown>;

/** All rows of all tables, each as a text that sorts. */
function rowsOf(db: Db): Map<string, Row[]> {
  const tables = db
    .prepare<[], string>(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
    )
    .pluck()
    .all();
  return new Map(
    tables.map((table) => [
      table,
      db.prepare<[], Row>(`SELECT * FROM "${table}"`).all().toSorted(byText),
    ]),
  );
}
const byText = (a: Row, b: Row) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

/** Tables with their columns, and indexes: what a schema is, however it came about. */
function schemaOf(db: Db): unknown {
  const columns = db.prepare(
    `SELECT m.name AS "table", c.name, c.type, c."notnull", c.dflt_value, c.pk FROM sqlite_master m, pragma_table_info(m.name) c
     WHERE m.type = 'table' ORDER BY 1, 2`,
  );
  const indexes = db.prepare(
    `SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' ORDER BY 1`,
  );
  return [columns.all(), indexes.all()];
}

describe(verifies('1.2', '8.5', 'I9') + 'threads.db of an older program', () => {
  it.each(OLDER)(
    'of schema %i comes to the newest: no row is lost, no value changes',
    (version) => {
      const { file } = written(version);
      const db = openDatabase({ path: file, synchronous: 'FULL' });
      const before = rowsOf(db);
      for (const [table, rows] of before) expect([table, rows.length]).not.toEqual([table, 0]);
      migrate(db, THREADS_MIGRATIONS);
      const after = rowsOf(db);
      for (const [table, rows] of before) {
        const kept = after.get(table)?.map((row) => pick(row, Object.keys(rows[0] ?? {})));
        expect([table, kept?.toSorted(byText)]).toEqual([table, rows]);
      }
      expect(db.pragma('user_version', { simple: true })).toBe(NEWEST);
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
      const fresh = openDatabase({
        path: path.join(temporaryFolder(), 'fresh.db'),
        synchronous: 'FULL',
      });
      migrate(fresh, THREADS_MIGRATIONS);
      expect(schemaOf(db)).toEqual(schemaOf(fresh));
      migrate(db, THREADS_MIGRATIONS);
      expect(rowsOf(db)).toEqual(after);
      db.close();
      fresh.close();
    },
  );

  it.each(OLDER)(
    'of schema %i is worked on: every delivery stands where it stood',
    async (version) => {
      const { dir } = written(version);
      swarm = await Swarm.open(['alice', 'bob'], { dbDir: dir });
      const { db } = swarm.broker.app.get(ThreadsDb);
      const states = db
        .prepare<[], string>('SELECT state FROM deliveries WHERE recipient = 1 ORDER BY message')
        .pluck();
      expect(states.all()).toEqual(STATES);
      expect(swarm.delivery('m3', 'operator').state).toBe('queued');
      expect(swarm.delivery('m4', 'alice')).toMatchObject({ attempts: 5, hand_outs: 5 });

      await swarm.hello('alice', 2);
      expect(swarm.delivery('m2', 'alice')).toMatchObject({ state: 'queued', hand_outs: 2 });
      const turn = await swarm.turn('alice', { instance: 2 });
      expect(turn.messages.map(({ id, redelivered }) => [id, redelivered])).toEqual([['m2', true]]);
      await swarm.end(turn, { instance: 2 });
      const next = await swarm.turn('alice', { instance: 2 });
      expect(next.messages[0]).toMatchObject({ id: 'm1', body: 'queued', redelivered: false });
      await swarm.broker.dashboard.retry_delivery({ id: 'm4.1' }, swarm.context());
      expect(swarm.delivery('m4', 'alice').state).toBe('queued');
      const { turns } = await swarm.broker.dashboard.agent_turns(
        { agent: 'alice' },
        swarm.context(),
      );
      expect(turns.find(({ turn_id }) => turn_id === 't2')).toMatchObject({ thread_id: 'm1' });
    },
  );

  it.each(OLDER.filter((version) => version >= 2))(
    'of schema %i keeps questions and reminders, and the reminder of its turns',
    async (version) => {
      const { dir } = written(version);
      swarm = await Swarm.open(['alice', 'bob'], { dbDir: dir });
      const { reminders } = await swarm.broker.dashboard.reminders({}, swarm.context());
      expect(reminders.map(({ id, state, occurrence }) => [id, state, occurrence])).toEqual([
        ['r3', 'paused', 4],
        ['r2', 'failed', 1],
        ['r1', 'pending', 1],
      ]);
      const { questions } = await swarm.broker.dashboard.questions({}, swarm.context());
      expect(questions.map(({ question, state }) => [question, state])).toContainEqual([
        'ship it?',
        'open',
      ]);
      const { db } = swarm.broker.app.get(ThreadsDb);
      const reminder = db.prepare('SELECT reminder FROM turns ORDER BY id').pluck().all();
      expect(reminder).toEqual([3, null]);
    },
  );

  it('of a newer program is left alone', () => {
    const { file } = written(NEWEST);
    const db = openDatabase({ path: file, synchronous: 'FULL' });
    const before = rowsOf(db);
    expect(() => migrate(db, THREADS_MIGRATIONS.slice(0, -1))).toThrow(NewerSchemaError);
    expect(rowsOf(db)).toEqual(before);
    db.close();
  });

  it('stays as it was when a step fails half way', () => {
    const { file } = written(1);
    const db = openDatabase({ path: file, synchronous: 'FULL' });
    const before = rowsOf(db);
    const broken = { version: 2, name: 'broken', sql: 'DELETE FROM messages; SELECT nonsense;' };
    expect(() => migrate(db, [...THREADS_MIGRATIONS.slice(0, 1), broken])).toThrow(/nonsense/);
    expect([db.pragma('user_version', { simple: true }), rowsOf(db)]).toEqual([1, before]);
    db.close();
  });
});

function pick(row: Row, columns: readonly string[]): Row {
  return Object.fromEntries(columns.map((column) => [column, row[column]]));
}
