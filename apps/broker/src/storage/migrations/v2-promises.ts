import type { Migration } from '#libs/store';

export const PROMISES: Migration = {
  version: 2,
  name: 'questions, reminders, broadcasts, jobs, restart windows',
  sql: `
    -- What a message carries beside its body: JSON of MessageDetail.
    ALTER TABLE messages ADD COLUMN detail TEXT;
    -- Its wakes pass the rate of broadcasts (PRODUCT 1.6).
    ALTER TABLE deliveries ADD COLUMN broadcast INTEGER NOT NULL DEFAULT 0;

    ALTER TABLE agents ADD COLUMN sends_per_minute INTEGER NOT NULL DEFAULT 60;
    ALTER TABLE agents ADD COLUMN send_burst INTEGER NOT NULL DEFAULT 20;
    ALTER TABLE agents ADD COLUMN reminders_pending INTEGER NOT NULL DEFAULT 50;
    ALTER TABLE agents ADD COLUMN reminders_per_hour INTEGER NOT NULL DEFAULT 60;
    ALTER TABLE agents ADD COLUMN reminder_burst INTEGER NOT NULL DEFAULT 10;

    -- Chunks of a broadcast's recipients, frozen when it was sent (P21). A row goes when its chunk is written.
    CREATE TABLE broadcast_chunks (
      message INTEGER NOT NULL,
      chunk INTEGER NOT NULL,
      recipients TEXT NOT NULL,           -- JSON array of incarnations
      PRIMARY KEY (message, chunk)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE questions (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      asker INTEGER NOT NULL,
      target INTEGER NOT NULL,            -- 0 the operator
      question TEXT NOT NULL,
      options TEXT NOT NULL,              -- JSON array
      multi INTEGER NOT NULL,
      hop INTEGER NOT NULL,
      asked_at INTEGER NOT NULL,
      deadline_at INTEGER,
      asked_message INTEGER,              -- the message to a peer; null when the operator is asked
      state TEXT NOT NULL,                -- open answered expired cancelled
      answer TEXT,
      answered_by INTEGER,                -- 0 the operator; null when it expired
      resolved_at INTEGER
    ) STRICT;
    CREATE INDEX questions_of_asker ON questions (asker, id) WHERE state = 'open';
    CREATE INDEX questions_to_target ON questions (target, id) WHERE state = 'open';
    CREATE INDEX questions_deadline ON questions (deadline_at) WHERE state = 'open' AND deadline_at IS NOT NULL;
    CREATE INDEX questions_resolved ON questions (resolved_at) WHERE resolved_at IS NOT NULL;

    CREATE TABLE reminders (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      owner INTEGER NOT NULL,
      message TEXT NOT NULL,              -- the whole body, also when it goes into a file at delivery (P23)
      file_path TEXT,                     -- relative to state/; null: the body is delivered as it is
      hop INTEGER NOT NULL,               -- of the turn that made it (P20)
      every TEXT,
      every_tz TEXT,
      state TEXT NOT NULL,                -- pending delivered failed cancelled paused
      occurrence INTEGER NOT NULL DEFAULT 1,
      due_at INTEGER NOT NULL,            -- of this occurrence
      next_attempt_at INTEGER NOT NULL,   -- due_at, or later after a failure
      created_at INTEGER NOT NULL,
      ended_at INTEGER                    -- when it was delivered for the last time, failed or cancelled
    ) STRICT;
    CREATE INDEX reminders_due ON reminders (next_attempt_at, id) WHERE state = 'pending';
    CREATE INDEX reminders_of_owner ON reminders (owner, id) WHERE state IN ('pending', 'failed', 'paused');
    CREATE INDEX reminders_failed ON reminders (id) WHERE state = 'failed';
    CREATE INDEX reminders_ended ON reminders (ended_at) WHERE ended_at IS NOT NULL;

    -- The message of each occurrence: unique, whatever asks for it how often (P22).
    CREATE TABLE reminder_messages (
      reminder INTEGER NOT NULL,
      occurrence INTEGER NOT NULL,
      message INTEGER NOT NULL,
      delivered_at INTEGER NOT NULL,
      owner INTEGER NOT NULL,
      PRIMARY KEY (reminder, occurrence)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX reminder_messages_recent ON reminder_messages (delivered_at, owner);

    -- Jobs that Redis has to learn (ARCHITECTURE "The outbox"): written with the fact, removed when Redis has them.
    CREATE TABLE jobs (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      job TEXT NOT NULL                   -- JSON of WantedJob
    ) STRICT;

    -- Planned restarts (P24): a row per agent until its new harness said hello or the time is over.
    CREATE TABLE restart_windows (
      agent INTEGER NOT NULL,
      operation TEXT NOT NULL,
      until INTEGER NOT NULL,
      text TEXT,                          -- of the agent's one wake; null: none
      PRIMARY KEY (agent, operation)
    ) STRICT, WITHOUT ROWID;
    -- Wakes after a restart: at most one unread per agent (EXECUTIONS H24).
    CREATE TABLE restart_wakes (
      agent INTEGER NOT NULL,
      operation TEXT NOT NULL,
      message INTEGER NOT NULL,
      PRIMARY KEY (agent, operation)
    ) STRICT, WITHOUT ROWID;

    -- Messages that retention removed and the search index has still to forget.
    CREATE TABLE forgotten (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      messages TEXT NOT NULL              -- JSON array of ids
    ) STRICT;
  `,
};
