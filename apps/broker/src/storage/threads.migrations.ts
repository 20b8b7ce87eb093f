import type { Db, Migration } from '#libs/store';

/**
 * Schema of threads.db. Hot tables are lean: what a send writes is appended, and secondary indexes are partial, so that
 * they hold only what is unfinished (PERFORMANCE "Cheap and expensive").
 *
 * Times are milliseconds since 1970. Recipient and sender 0 is the operator; other numbers are agents' incarnations.
 */
export const THREADS_MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'messages, deliveries, turns, registry, outbox',
    sql: `
      CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

      -- Copy of c0re's registry (P26), then what only the broker knows of the agent.
      CREATE TABLE agents (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        driver TEXT NOT NULL,
        model TEXT,
        container TEXT,
        token_hash TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL,
        instance INTEGER NOT NULL,
        allowed_recipients TEXT NOT NULL,   -- JSON array of names
        quiet_window_ms INTEGER NOT NULL,
        inbox_limit INTEGER NOT NULL,
        run_dir TEXT NOT NULL,
        deployed_sha TEXT,

        status_text TEXT NOT NULL DEFAULT '',
        turn_state TEXT NOT NULL DEFAULT 'idle',
        hello_instance INTEGER NOT NULL DEFAULT 0,  -- instance that said hello last
        ended_instance INTEGER NOT NULL DEFAULT 0,  -- newest instance whose process is known to be gone
        live_driver TEXT,
        live_model TEXT,
        hyperhive_rev TEXT,
        harness_started_at TEXT,
        urgent_row INTEGER NOT NULL DEFAULT 0,      -- urgent hand-outs since the last other one (P10)
        continuations INTEGER NOT NULL DEFAULT 0,   -- self wakes in a row (P20)
        wake_through INTEGER NOT NULL DEFAULT 0,    -- messages up to this id start a turn without quiet window (P8)
        parked_until INTEGER NOT NULL DEFAULT 0,    -- rate limit, login, outage (P13)
        park_streak INTEGER NOT NULL DEFAULT 0
      ) STRICT;
      CREATE UNIQUE INDEX agents_living_name ON agents (name) WHERE state <> 'destroyed';
      CREATE UNIQUE INDEX agents_living_token ON agents (token_hash) WHERE state <> 'destroyed';

      CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        thread INTEGER,                     -- id of the root; null in a root itself
        in_reply_to INTEGER,
        from_agent INTEGER NOT NULL,
        from_name TEXT NOT NULL,
        from_kind TEXT NOT NULL,
        to_names TEXT NOT NULL,             -- as addressed: one name, or a JSON array
        kind TEXT NOT NULL,
        event TEXT,
        priority TEXT NOT NULL,
        broadcast INTEGER NOT NULL,
        hop INTEGER NOT NULL,
        may_repeat INTEGER NOT NULL,
        cause_turn INTEGER,                 -- turn in which it was sent
        cause_message INTEGER,              -- message that woke that turn
        sent_at INTEGER NOT NULL,
        body TEXT NOT NULL
      ) STRICT;
      -- Roots are not in it: a send that starts a thread touches no scattered page.
      CREATE INDEX messages_replies ON messages (thread) WHERE thread IS NOT NULL;

      CREATE TABLE deliveries (
        message INTEGER NOT NULL,
        recipient INTEGER NOT NULL,
        state TEXT NOT NULL,                -- queued leased acked dead cancelled
        priority INTEGER NOT NULL,          -- 0 urgent, 1 normal, 2 low
        sender INTEGER NOT NULL,
        limited INTEGER NOT NULL,           -- counts towards the inbox limit (P19)
        eager INTEGER NOT NULL,             -- skips the quiet window (P16)
        hand_outs INTEGER NOT NULL DEFAULT 0,
        forgiven INTEGER NOT NULL DEFAULT 0,-- hand-outs before a retry by the operator
        attempts INTEGER NOT NULL DEFAULT 0,-- turns that failed on its account
        turn INTEGER,                       -- turn of the last lease; null when a bare session had it
        session TEXT,                       -- session of the last bare lease
        written INTEGER NOT NULL DEFAULT 0, -- the last hand-out reached the client whole (P1, P12)
        not_before INTEGER NOT NULL DEFAULT 0,
        held INTEGER NOT NULL DEFAULT 0,    -- waits for the operator after a cancel (P17)
        since INTEGER NOT NULL,
        reason TEXT,
        PRIMARY KEY (message, recipient)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX deliveries_queued ON deliveries (recipient, priority, message) WHERE state = 'queued';
      CREATE INDEX deliveries_leased ON deliveries (recipient, message) WHERE state = 'leased';
      CREATE INDEX deliveries_dead ON deliveries (recipient, message) WHERE state = 'dead';

      CREATE TABLE turns (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        agent INTEGER NOT NULL,
        instance INTEGER NOT NULL,
        run TEXT NOT NULL,                  -- sha-256 of the run token
        started_at INTEGER NOT NULL,
        wake INTEGER NOT NULL,              -- message that woke it
        wake_reason TEXT NOT NULL,
        wake_from TEXT NOT NULL,
        thread INTEGER NOT NULL,
        attempt INTEGER NOT NULL,           -- of the wake, 1 for the first try
        redelivered INTEGER NOT NULL,       -- the wake was handed out before (EXECUTIONS H14)
        hop INTEGER NOT NULL,               -- highest of all that was leased to it (P20)
        next_turn INTEGER NOT NULL DEFAULT 0,
        cancel INTEGER NOT NULL DEFAULT 0,  -- 1 asked for, 2 with discard
        ended_at INTEGER,
        ended_by TEXT,                      -- harness, broker, late (a result after the broker had ended it)
        result_kind TEXT,
        note TEXT NOT NULL DEFAULT '',
        acked TEXT,                         -- JSON array of message ids: the answer to a repeated end
        returned TEXT,
        telemetry TEXT,                     -- JSON, until telemetry.db has the row
        journaled INTEGER NOT NULL DEFAULT 0
      ) STRICT;
      CREATE UNIQUE INDEX turns_live ON turns (agent) WHERE ended_at IS NULL;
      CREATE INDEX turns_to_journal ON turns (id) WHERE ended_at IS NOT NULL AND journaled = 0;

      -- Tokens of CLI processes (P2).
      CREATE TABLE runs (
        token_hash TEXT PRIMARY KEY,
        agent INTEGER NOT NULL,
        instance INTEGER NOT NULL,
        revoked INTEGER NOT NULL DEFAULT 0
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX runs_in_force ON runs (agent) WHERE revoked = 0;

      CREATE TABLE commands (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        agent INTEGER NOT NULL,
        turn INTEGER,                       -- a cancel is for this turn only
        kind TEXT NOT NULL,
        model TEXT,
        discard INTEGER NOT NULL DEFAULT 0,
        asked_at INTEGER NOT NULL,
        done_at INTEGER
      ) STRICT;
      CREATE INDEX commands_open ON commands (agent, id) WHERE done_at IS NULL;

      -- What repeatable requests were answered (P11). Ids are UUID v7: the table is appended to.
      CREATE TABLE requests (
        id TEXT PRIMARY KEY,
        method TEXT NOT NULL,
        caller INTEGER NOT NULL,            -- agent, 0 the operator
        at INTEGER NOT NULL,
        absorbs INTEGER NOT NULL,           -- a send: an identical one may be its retry (EXECUTIONS H13)
        turn INTEGER,
        session TEXT,
        answer TEXT NOT NULL                -- JSON
      ) STRICT, WITHOUT ROWID;

      -- Sends that absorb no repeat any more: their answer arrived, or they have absorbed one. Many ids in one row, since
      -- every send comes here.
      CREATE TABLE settled_sends (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        requests TEXT NOT NULL              -- ids, separated by spaces
      ) STRICT;

      CREATE TABLE idempotency (
        sender INTEGER NOT NULL,
        key TEXT NOT NULL,
        content TEXT NOT NULL,              -- sha-1 of what was sent
        message INTEGER NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (sender, key)
      ) STRICT, WITHOUT ROWID;

      -- One row per commit: what changed in it and has to reach the event stream.
      CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        changes TEXT NOT NULL               -- JSON of ChangeSet
      ) STRICT;
    `,
  },
  {
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
  },
  {
    version: 3,
    name: 'failures of reminders',
    // Idempotent for a database whose reminders have the columns (PRODUCT 3.5).
    run: addReminderFailures,
  },
  {
    version: 4,
    name: 'what retention finds its rows by',
    sql: `
      ALTER TABLE runs ADD COLUMN revoked_at INTEGER;
      UPDATE runs SET revoked_at = unixepoch() * 1000 WHERE revoked = 1;
      CREATE INDEX runs_revoked ON runs (revoked_at) WHERE revoked_at IS NOT NULL;
      CREATE INDEX questions_open_message ON questions (asked_message)
        WHERE state = 'open' AND asked_message IS NOT NULL;
      CREATE INDEX reminders_over ON reminders (ended_at) WHERE state IN ('delivered', 'cancelled');
    `,
  },
  {
    version: 5,
    name: 'the reminder that a turn goes back to',
    sql: `
      ALTER TABLE turns ADD COLUMN reminder INTEGER;
      CREATE TEMP TABLE reminder_of AS SELECT message, reminder FROM reminder_messages;
      CREATE INDEX temp.reminder_of_message ON reminder_of (message);
      UPDATE turns SET reminder = (SELECT reminder FROM temp.reminder_of WHERE message = turns.wake)
        WHERE wake_reason = 'reminder';
      DROP TABLE temp.reminder_of;
    `,
  },
];

function addReminderFailures(db: Db): void {
  const columns = new Set(
    db.prepare<[], string>(`SELECT name FROM pragma_table_info('reminders')`).pluck().all(),
  );
  const missing = {
    attempt_count: 'INTEGER NOT NULL DEFAULT 0',
    last_error: 'TEXT',
    last_attempt_at: 'INTEGER',
  };
  for (const [name, type] of Object.entries(missing))
    if (!columns.has(name)) db.exec(`ALTER TABLE reminders ADD COLUMN ${name} ${type}`);
}
