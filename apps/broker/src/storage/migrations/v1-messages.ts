import type { Migration } from '#libs/store';

export const MESSAGES: Migration = {
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
};
