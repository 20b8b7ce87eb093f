/** Numbers that more than one process must agree on. Each names the rule it comes from. */
export const LIMITS = {
  /** Bytes of UTF-8 in a message body (PRODUCT 1.1). */
  body_bytes: 4096,
  /** Most messages that one `recv_batch` returns (PRODUCT 1.3). */
  recv_batch: 32,
  /** Longest long-poll of `recv`, in seconds (PRODUCT 1.3). */
  recv_wait_seconds: 180,
  /** A waiting `recv` reports progress this often, in seconds (INTERFACES "MCP gateway"). */
  progress_seconds: 20,
  /** Longest wait of a harness poll for its next turn, in seconds. */
  poll_wait_seconds: 50,
  /** Longest wait of a heartbeat's long-poll for commands, in seconds (P18). */
  heartbeat_wait_seconds: 20,
  /** A turn without a heartbeat for this long has lost its lease, in seconds (ARCHITECTURE "A delivery's states"). */
  lease_seconds: 60,
  /** Lease of a bare client's `recv`, in seconds (P12). */
  bare_lease_seconds: 600,
  /** A sweep later than this gives every live lease a full new term, in seconds (P14). */
  late_sweep_seconds: 5,
  /** Turns that failed on their own account before a delivery is dead (PRODUCT 1.2). */
  delivery_attempts: 5,
  /** Hand-outs of one delivery before it is dead: catches crash loops (P13). */
  delivery_hand_outs: 50,
  /** First back-off after a failed turn and its ceiling, in seconds (P13). */
  back_off_first_seconds: 5,
  back_off_most_seconds: 600,
  /** `low` deliveries that one wake takes along (P8). */
  low_per_wake: 10,
  /** Urgent hand-outs in a row before the oldest normal one is next (P10). */
  urgent_in_a_row: 8,
  /** Hops after which a message is delivered `low` and the operator is told (P20). */
  hops: 32,
  /** Continuations (`self`) that may follow each other (P20). */
  continuations: 20,
  /** Default quiet window of an agent, in milliseconds (PRODUCT 1.7). */
  quiet_window_ms: 250,
  /** Queued peers' direct messages an agent may hold (PRODUCT 1.11), and the part of one sender (P19). */
  inbox: 1000,
  inbox_share_of_one_sender: 0.25,
  /** How long an `idempotency_key` is remembered, in seconds (P11). */
  idempotency_seconds: 86_400,
  /** How long one identical unconfirmed `send` is taken for a retry, in seconds (EXECUTIONS H13). */
  unconfirmed_send_seconds: 600,
  /** How long a request id is remembered; an older id is refused, in seconds (P11). */
  request_id_seconds: 86_400,
  /** MCP sessions, waiting calls and request bytes of one agent at the gateway (P36). */
  sessions_per_agent: 16,
  waiting_calls_per_agent: 8,
  request_bytes: 262_144,
  /** Characters of a status text. */
  status_chars: 200,
  /** Bytes of one live event of a turn, and events in one batch. */
  turn_event_bytes: 65_536,
  turn_events_per_batch: 200,
  /** Characters of a turn's note. */
  note_chars: 2000,
  /** Deliveries of one message that its row shows: a broadcast may have thousands. */
  deliveries_shown: 64,
  /** Recipients of one `send` (INTERFACES). */
  recipients: 32,
  /** Messages that one `get_thread` returns, newest kept. */
  thread_messages: 200,
  /** Default rate of sends of an agent (PRODUCT 1.8): sustained per minute, and at once after a quiet time. */
  sends_per_minute: 60,
  send_burst: 20,
  /** Tokens of the send rate that a broadcast costs; each name of a list costs one (PROTOCOL "Values"). */
  broadcast_send_tokens: 5,
  /** Recipients of one chunk of a broadcast (PERFORMANCE: 100 to 500). */
  broadcast_chunk: 200,
  /** Turns that broadcasts may start per second in the whole hive, and at once (PRODUCT 1.6). */
  broadcast_wakes_per_second: 10,
  broadcast_wake_burst: 10,
  /** Longest time to live of a question, in seconds (PRODUCT 2.1). */
  question_ttl_seconds: 21_600,
  /** Options of a question, and characters of each. */
  question_options: 20,
  question_option_chars: 200,
  /** Questions of one agent that may be open. */
  questions_open: 50,
  /** Default limits of an agent's reminders (PRODUCT 3.3). */
  reminders_pending: 50,
  reminders_per_hour: 60,
  reminder_burst: 10,
  /** Bytes of a reminder's body; past `body_bytes` it is written to a file at delivery (P23). */
  reminder_bytes: 65_536,
  /** Shortest period of a repeating reminder, in seconds (P22). */
  reminder_every_seconds: 60,
  /** Farthest due time of a reminder, in days. */
  reminder_days: 3660,
  /** Deliveries of a reminder that may fail before it rests as `failed` (PRODUCT 3.5). */
  reminder_attempts: 5,
  /** Only reminders due within this window have a job in Redis, in seconds (P22). */
  job_window_seconds: 600,
  /** Bytes of a state file that is read, and entries of a folder that are listed (PRODUCT 8.2). */
  state_file_bytes: 1_048_576,
  state_entries: 1000,
  /** A restart window ends for all after this long, in seconds (P24). */
  restart_window_seconds: 600,
  /** Characters of what a request of the manager's is for, and of the reason of a denial. */
  approval_description_chars: 2000,
  approval_reason_chars: 2000,
  /** Requests of the manager's that may wait for the operator. */
  approvals_pending: 100,
  /** Files of a config tree, bytes of one and of all. */
  config_files: 1000,
  config_file_bytes: 1_048_576,
  config_tree_bytes: 8_388_608,
  /** Bytes of what is fetched for one submitted commit, its history included. */
  config_fetch_bytes: 33_554_432,
  /** Characters of a diff that is shown. */
  diff_chars: 200_000,
  /** Acked messages are kept this long by default, in days (PRODUCT 1.10). */
  message_retention_days: 30,
  /** Threads, and reminders, that an agent's statistics name by cost. */
  stats_causes: 20,
  /** Hits of one search, and characters of a query. */
  search_results: 50,
  search_query_chars: 500,
} as const;
