import type { Migration } from '#libs/store';

/** Schema of telemetry.db: ended turns and the live events of all. Times are milliseconds since 1970; ids are the integers behind the wire ids. */
export const TELEMETRY_MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'turn rows and their live events',
    sql: `
      CREATE TABLE turns (
        turn_id INTEGER PRIMARY KEY,
        agent_id INTEGER NOT NULL,
        agent TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        ended_at INTEGER NOT NULL,
        duration_ms INTEGER,
        model TEXT,
        input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        cache_read_input_tokens INTEGER NOT NULL,
        cache_creation_input_tokens INTEGER NOT NULL,
        context_tokens INTEGER,
        tool_call_count INTEGER NOT NULL,
        tool_call_breakdown TEXT NOT NULL,
        bytes_streamed INTEGER NOT NULL,
        wake_reason TEXT NOT NULL,
        wake_from TEXT NOT NULL,
        thread INTEGER NOT NULL,            -- message id of the thread's root
        result_kind TEXT NOT NULL,
        cost_usd REAL,
        attempt INTEGER NOT NULL,
        note TEXT NOT NULL
      ) STRICT;
      CREATE INDEX turns_by_agent ON turns (agent_id);
      CREATE INDEX turns_by_agent_and_start ON turns (agent_id, started_at, cost_usd);
      CREATE INDEX turns_by_start ON turns (started_at);

      CREATE TABLE turn_events (
        -- The order in which events arrived: the cursor of what the event stream has.
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        turn_id INTEGER NOT NULL,
        agent TEXT NOT NULL,
        n INTEGER NOT NULL,
        stored_at INTEGER NOT NULL,
        event TEXT NOT NULL,
        UNIQUE (turn_id, n)
      ) STRICT;

      -- Small facts of the relay: what the stream has, so that a restart goes on where it was.
      CREATE TABLE relay (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    `,
  },
  {
    version: 2,
    name: 'the reminder that a turn goes back to',
    sql: `
      ALTER TABLE turns ADD COLUMN reminder INTEGER;  -- 0: not known any more
      CREATE INDEX turns_without_reminder ON turns (turn_id) WHERE wake_reason = 'reminder' AND reminder IS NULL;
    `,
  },
];
