import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { migrate, openDatabase, type Db } from '#libs/store';

import { verifies } from '../../../../test/requirements/verifies.js';
import { MIGRATIONS } from './migrations.js';

let folder: string;
let db: Db;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'c0re-db-'));
  db = openDatabase({ path: path.join(folder, 'c0re.db'), synchronous: 'FULL' });
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

function insertRows(): void {
  db.exec(`
    INSERT INTO agents (id, name, role, config, folder, stage, wanted, state, slot, created_at, destroyed_at)
      VALUES (3, 'ada', 'agent', '{}', 'ada', 'provisioned', 'running', 'running', 1, 1, NULL),
             (4, 'bob', 'agent', '{}', 'bob', 'provisioned', 'destroyed', 'destroyed', 2, 1, 9);
    INSERT INTO operations (id, kind, agent_id, state, asked_by, reason, asked_at)
      VALUES (7, 'spawn', 3, 'done', 'operator', 'why', 5), (9, 'start', 3, 'queued', 'operator', '', 6);
  `);
}

describe(verifies('4.1', 'P27') + 'the schema of c0re.db', () => {
  it.each(MIGRATIONS.map(({ version }) => [version]))(
    'comes from version %i with its rows, and a second time changes nothing',
    (version) => {
      migrate(db, MIGRATIONS.slice(0, version));
      insertRows();
      if (version >= 2) {
        db.exec(`INSERT INTO approvals (id, kind, state, agent_id, description, requested_by, requested_at, operation_id)
          VALUES (2, 'spawn', 'approved', 3, '', 'manager', 1, 7)`);
      }
      migrate(db, MIGRATIONS);
      migrate(db, MIGRATIONS);
      expect(db.pragma('foreign_key_check')).toEqual([]);
      expect(db.prepare('SELECT id, kind, reason, parent FROM operations').all()).toEqual([
        { id: 7, kind: 'spawn', reason: 'why', parent: null },
        { id: 9, kind: 'start', reason: '', parent: null },
      ]);
      expect(db.prepare('SELECT operation_id FROM approvals').pluck().all()).toEqual(
        version >= 2 ? [7] : [],
      );
      const { lastInsertRowid } = db
        .prepare(
          `INSERT INTO operations (kind, agent_id, parent, state, asked_by, reason, asked_at)
           VALUES ('restart_all', NULL, 9, 'queued', 'operator', '', 1)`,
        )
        .run();
      expect(lastInsertRowid).toBe(10);
      // An agent that was destroyed before is a tombstone that is still to be published.
      expect(
        db
          .prepare('SELECT name FROM agents WHERE tombstone_published < tombstone_version')
          .pluck()
          .all(),
      ).toEqual(version < 3 ? ['bob'] : []);
    },
  );
});
