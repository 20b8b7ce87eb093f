/**
 * Jobs between the broker, which knows what must happen, and the scheduler, which lets Redis tell when (ARCHITECTURE
 * "The outbox"). Job data holds ids only (P27). Every job is a hint: its unique key in SQLite decides.
 */

/** `reminders`: the occurrence of a reminder comes due (P22). Job id `rem-<id>-<occurrence>-<attempt>`. */
export interface ReminderJob {
  /** Wire id, as `r12`. */
  id: string;
  occurrence: number;
  attempt: number;
}
/** `broadcasts`: one chunk of a broadcast's recipients is written (P21). Job id `bc-<message>-<chunk>`. */
export interface BroadcastJob {
  /** Wire id, as `m12`. */
  message: string;
  chunk: number;
}
/** `deliveries`: a question's deadline passes and its outcome is delivered. Job id `ask-<id>`. */
export interface DeadlineJob {
  /** Wire id, as `q12`. */
  id: string;
}

/** A job as it must stand in Redis; `due_at` null: at once. */
export type WantedJob =
  | { queue: 'reminders'; job_id: string; due_at: string; data: ReminderJob }
  | { queue: 'broadcasts'; job_id: string; due_at: null; data: BroadcastJob }
  | { queue: 'deliveries'; job_id: string; due_at: string; data: DeadlineJob };
export type JobQueue = WantedJob['queue'];

/**
 * What became of a job: `done` now, `gone` (its row wants it no more: done before, cancelled, another time), `early`
 * (put it back for `again_in_ms`), `failed` (recorded on the row, which wants a job of its own for the next attempt).
 */
export interface JobOutcome {
  job_id: string;
  outcome: 'done' | 'gone' | 'early' | 'failed';
  again_in_ms?: number;
}

/** The part of broker-scheduler.sock that is about jobs. */
export interface BrokerJobsApi {
  /**
   * Jobs that were wanted since the last call, oldest first; they are given again until `jobs_added`. Answers at once.
   * `more`: there are more behind them.
   */
  take_jobs: [{ limit: number }, { jobs: WantedJob[]; through: number; more: boolean }];
  /** Redis has the jobs up to `through` of a `take_jobs`. */
  jobs_added: [{ through: number }, { removed: number }];
  /** Every job that the rows of a queue ask for now, in pages: for the reconciler. */
  wanted_jobs: [
    { queue: JobQueue; after?: string; limit: number },
    { jobs: WantedJob[]; next?: string },
  ];
  /** Of these job ids, those that the rows still ask for: asked before a job is deleted (P22). */
  still_wanted: [{ job_ids: string[] }, { job_ids: string[] }];
  /** These jobs came due; all that is due now is written with them, in one transaction a batch (PRODUCT 1.7). */
  fire_reminders: [{ jobs: ReminderJob[] }, { outcomes: JobOutcome[] }];
  deliver_chunks: [{ jobs: BroadcastJob[] }, { outcomes: JobOutcome[] }];
  expire_questions: [{ jobs: DeadlineJob[] }, { outcomes: JobOutcome[] }];
}

/** What the broker asks of a connected scheduler over the same socket. */
export interface SchedulerCallbacks {
  /** New jobs are wanted: `take_jobs` has them. A hint; the scheduler also asks every second. */
  jobs_waiting: [Record<string, never>, Record<string, never>];
}

/** Job id of a reminder's occurrence and attempt. */
export function reminderJobId({ id, occurrence, attempt }: ReminderJob): string {
  return `rem-${id}-${occurrence}-${attempt}`;
}
/** Job id of a chunk of a broadcast. */
export function broadcastJobId({ message, chunk }: BroadcastJob): string {
  return `bc-${message}-${chunk}`;
}
/** Job id of a question's deadline. */
export function deadlineJobId({ id }: DeadlineJob): string {
  return `ask-${id}`;
}
