import type { Migration } from '#libs/store';

/** The schema of c0re.db. Append only. */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'agents, operations, operator, audit',
    sql: `
      CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
      INSERT INTO meta VALUES ('registry_revision', '0');

      -- id is the incarnation: AUTOINCREMENT never gives one twice (P25).
      CREATE TABLE agents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        config TEXT NOT NULL,
        seed TEXT,
        folder TEXT NOT NULL,
        stage TEXT NOT NULL CHECK (stage IN ('new', 'claimed', 'provisioned')),
        wanted TEXT NOT NULL CHECK (wanted IN ('running', 'stopped', 'destroyed')),
        state TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT '',
        container TEXT,
        handle TEXT,
        instance INTEGER NOT NULL DEFAULT 0,
        ended_instance INTEGER NOT NULL DEFAULT 0,
        reported_instance INTEGER NOT NULL DEFAULT 0,
        slot INTEGER NOT NULL UNIQUE,
        token_hash TEXT,
        deployed_sha TEXT,
        created_at INTEGER NOT NULL,
        destroyed_at INTEGER
      ) STRICT;
      CREATE UNIQUE INDEX agents_name ON agents (name) WHERE destroyed_at IS NULL;

      CREATE TABLE operations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        agent_id INTEGER NOT NULL REFERENCES agents (id),
        state TEXT NOT NULL,
        asked_by TEXT NOT NULL,
        reason TEXT NOT NULL,
        asked_at INTEGER NOT NULL,
        started_at INTEGER,
        ended_at INTEGER,
        error TEXT,
        version INTEGER NOT NULL DEFAULT 1,
        published_version INTEGER NOT NULL DEFAULT 0
      ) STRICT;
      CREATE INDEX operations_open ON operations (id) WHERE state IN ('queued', 'running');
      CREATE INDEX operations_unpublished ON operations (id) WHERE published_version < version;

      CREATE TABLE login_tokens (
        hash TEXT PRIMARY KEY,
        expires_at INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE operator_sessions (
        cookie_hash TEXT PRIMARY KEY,
        page_secret_hash TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        used_at INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        who TEXT NOT NULL,
        via TEXT NOT NULL,
        action TEXT NOT NULL,
        target TEXT,
        result TEXT NOT NULL
      ) STRICT;
      CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit
      BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
      CREATE TRIGGER audit_keeps_text BEFORE UPDATE ON audit
      BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    `,
  },
  {
    version: 2,
    name: 'approvals, news for the manager',
    sql: `
      -- The commit that a new agent begins with, when it stands in its applied repository already.
      ALTER TABLE agents ADD COLUMN pinned_sha TEXT;

      CREATE TABLE approvals (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        agent TEXT,                         -- name; null: it is about no agent
        agent_id INTEGER REFERENCES agents (id),
        commit_ref TEXT,
        sha TEXT,
        inputs TEXT NOT NULL DEFAULT '[]',  -- JSON array
        description TEXT NOT NULL,
        requested_by TEXT NOT NULL,
        request_id TEXT UNIQUE,
        requested_at INTEGER NOT NULL,
        decided_by TEXT,
        decided_at INTEGER,
        reason TEXT,
        operation_id INTEGER REFERENCES operations (id),
        previous TEXT,                      -- JSON of what was deployed when its deploy began to change the agent
        error TEXT,
        resolved_at INTEGER,
        version INTEGER NOT NULL DEFAULT 1,
        published_version INTEGER NOT NULL DEFAULT 0
      ) STRICT;
      CREATE INDEX approvals_open ON approvals (id) WHERE resolved_at IS NULL;
      CREATE INDEX approvals_of_agent ON approvals (agent, id);
      CREATE INDEX approvals_unpublished ON approvals (id) WHERE published_version < version;

      -- Names under which an approved init_config made repositories, until an agent is made of them.
      CREATE TABLE prepared_configs (
        name TEXT PRIMARY KEY,
        prepared_at INTEGER NOT NULL
      ) STRICT;

      -- What the manager has still to be told; a row goes when the broker has it.
      CREATE TABLE manager_news (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        event TEXT NOT NULL,
        body TEXT NOT NULL
      ) STRICT;
    `,
  },
  {
    version: 3,
    name: 'operations of the whole hive and their steps, tombstones',
    sql: `
      CREATE TABLE operations_with_steps (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        -- Null: it is about the whole hive.
        agent_id INTEGER REFERENCES agents (id),
        -- The operation that it is a step of.
        parent INTEGER REFERENCES operations_with_steps (id),
        state TEXT NOT NULL,
        asked_by TEXT NOT NULL,
        reason TEXT NOT NULL,
        -- The agent's instance when it began: a higher one that runs was started by it.
        from_instance INTEGER,
        asked_at INTEGER NOT NULL,
        started_at INTEGER,
        ended_at INTEGER,
        error TEXT,
        version INTEGER NOT NULL DEFAULT 1,
        published_version INTEGER NOT NULL DEFAULT 0
      ) STRICT;
      INSERT INTO operations_with_steps
        (id, kind, agent_id, state, asked_by, reason, asked_at, started_at, ended_at, error, version, published_version)
        SELECT id, kind, agent_id, state, asked_by, reason, asked_at, started_at, ended_at, error, version, published_version
        FROM operations;
      -- What refers to the operations moves with them.
      CREATE TABLE approvals_moved (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        agent TEXT,
        agent_id INTEGER REFERENCES agents (id),
        commit_ref TEXT,
        sha TEXT,
        inputs TEXT NOT NULL DEFAULT '[]',
        description TEXT NOT NULL,
        requested_by TEXT NOT NULL,
        request_id TEXT UNIQUE,
        requested_at INTEGER NOT NULL,
        decided_by TEXT,
        decided_at INTEGER,
        reason TEXT,
        operation_id INTEGER REFERENCES operations_with_steps (id),
        previous TEXT,
        error TEXT,
        resolved_at INTEGER,
        version INTEGER NOT NULL DEFAULT 1,
        published_version INTEGER NOT NULL DEFAULT 0
      ) STRICT;
      INSERT INTO approvals_moved SELECT * FROM approvals;
      DROP TABLE approvals;
      DROP TABLE operations;
      ALTER TABLE operations_with_steps RENAME TO operations;
      ALTER TABLE approvals_moved RENAME TO approvals;
      CREATE INDEX approvals_open ON approvals (id) WHERE resolved_at IS NULL;
      CREATE INDEX approvals_of_agent ON approvals (agent, id);
      CREATE INDEX approvals_unpublished ON approvals (id) WHERE published_version < version;
      CREATE INDEX operations_open ON operations (id) WHERE state IN ('queued', 'running');
      CREATE INDEX operations_unpublished ON operations (id) WHERE published_version < version;
      CREATE INDEX operations_parent ON operations (parent) WHERE parent IS NOT NULL;

      ALTER TABLE agents ADD COLUMN purged_at INTEGER;
      -- Whether the broker heard of the purge.
      ALTER TABLE agents ADD COLUMN purge_reported INTEGER NOT NULL DEFAULT 0;
      -- Rises whenever the agent becomes a tombstone or is one no more.
      ALTER TABLE agents ADD COLUMN tombstone_version INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE agents ADD COLUMN tombstone_published INTEGER NOT NULL DEFAULT 0;
      UPDATE agents SET tombstone_version = 1 WHERE destroyed_at IS NOT NULL;
      CREATE INDEX agents_tombstone_unpublished ON agents (id) WHERE tombstone_published < tombstone_version;
      CREATE INDEX agents_purge_unreported ON agents (id) WHERE purged_at IS NOT NULL AND purge_reported = 0;
    `,
  },
];
