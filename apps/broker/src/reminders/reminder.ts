import {
  formatId,
  isoTime,
  reminderJobId,
  type ReminderState,
  type WantedJob,
} from '#libs/protocol';

/** A row of `reminders`. Times are milliseconds since 1970. */
export interface ReminderRecord {
  id: number;
  /** Incarnation of the agent that it reminds. */
  owner: number;
  /** The whole body, also when it goes into a file at delivery (P23). */
  message: string;
  /** Relative to the owner's state folder; null: the body is delivered as it is. */
  file_path: string | null;
  hop: number;
  every: string | null;
  every_tz: string | null;
  state: ReminderState;
  /** Number of the next occurrence, from 1. */
  occurrence: number;
  due_at: number;
  /** `due_at`, or later after a failure. */
  next_attempt_at: number;
  created_at: number;
  ended_at: number | null;
  /** Deliveries of this occurrence that failed. */
  attempt_count: number;
  last_error: string | null;
  last_attempt_at: number | null;
}

export type NewReminder = Pick<
  ReminderRecord,
  'owner' | 'message' | 'file_path' | 'hop' | 'every' | 'every_tz' | 'due_at' | 'created_at'
>;

/** What names one attempt to deliver one occurrence. */
export type ReminderAttempt = Pick<ReminderRecord, 'id' | 'occurrence' | 'attempt_count'>;

/** Job id of the next attempt at this occurrence (P22). */
export function jobIdOf({ id, occurrence, attempt_count }: ReminderAttempt): string {
  return reminderJobId({ id: formatId('r', id), occurrence, attempt: attempt_count + 1 });
}

/** The job by which Redis tells when the row is due. */
export function jobOf(
  row: ReminderAttempt & Pick<ReminderRecord, 'next_attempt_at'>,
): Extract<WantedJob, { queue: 'reminders' }> {
  return {
    queue: 'reminders',
    job_id: jobIdOf(row),
    due_at: isoTime(row.next_attempt_at),
    data: {
      id: formatId('r', row.id),
      occurrence: row.occurrence,
      attempt: row.attempt_count + 1,
    },
  };
}
