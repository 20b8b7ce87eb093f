import type { Migration } from '#libs/store';

/** Schema of telemetry.db. Times are milliseconds since 1970; ids are the integers behind the wire ids. */
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
        ended_at INTEGER,
        duration_ms INTEGER,
        model TEXT,
        input_tokens INTEGER NOT NULL DEFAULT 0,
        output_tokens INTEGER NOT NULL DEFAULT 0,
        cache_read_input_tokens INTEGER NOT NULL DEFAULT 0,
        cache_creation_input_tokens INTEGER NOT NULL DEFAULT 0,
        context_tokens INTEGER,
        tool_call_count INTEGER NOT NULL DEFAULT 0,
        tool_call_breakdown TEXT NOT NULL DEFAULT '{}',
        bytes_streamed INTEGER NOT NULL DEFAULT 0,
        wake_reason TEXT NOT NULL,
        wake_from TEXT NOT NULL,
        thread_id TEXT,
        result_kind TEXT,
        cost_usd REAL,
        attempt INTEGER NOT NULL DEFAULT 1,
        note TEXT NOT NULL DEFAULT '',
        -- 1 once the harness itself reported; until then the broker's own end may be replaced by a late report (P6).
        reported INTEGER NOT NULL DEFAULT 0
      ) STRICT;
      CREATE INDEX turns_by_agent ON turns (agent_id);
      CREATE INDEX turns_by_agent_and_start ON turns (agent_id, started_at, cost_usd);
      CREATE INDEX turns_by_start ON turns (started_at);
      CREATE INDEX turns_open ON turns (turn_id) WHERE result_kind IS NULL;

      CREATE TABLE turn_events (
        -- The order in which events arrived: the cursor of what the event stream has.
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        turn_id INTEGER NOT NULL,
        n INTEGER NOT NULL,
        stored_at INTEGER NOT NULL,
        event TEXT NOT NULL,
        UNIQUE (turn_id, n)
      ) STRICT;

      -- Small facts of the relay: what the stream has, so that a restart goes on where it was.
      CREATE TABLE relay (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    `,
  },
];
