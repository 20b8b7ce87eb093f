import { DateTime } from 'luxon';

import { HiveError, isoTime, LIMITS, type RemindParams } from '#libs/protocol';

const FARTHEST_MS = LIMITS.reminder_days * 86_400_000;
const UNIX_SECONDS = /^\d{9,11}$/;
const WITH_OFFSET = /^\d{4}.*T.*(Z|[+-]\d{2}(:?\d{2})?)$/;

/**
 * When a reminder that is made `now` is due, milliseconds since 1970. Throws `invalid_request` unless exactly one of
 * `delay_seconds` and `at` is given, for a time that is past, and for one that is too far off.
 */
export function dueTime(
  { delay_seconds, at }: Pick<RemindParams, 'delay_seconds' | 'at'>,
  now: number,
): number {
  if ((delay_seconds === undefined) === (at === undefined)) {
    throw new HiveError(
      'invalid_request',
      `give exactly one of delay_seconds and at, not ${at === undefined ? 'neither' : 'both'}`,
    );
  }
  const due = at === undefined ? afterDelay(delay_seconds ?? 0, now) : timeOf(at);
  if (due < now) {
    throw new HiveError(
      'invalid_request',
      `at is ${inWords(now - due)} in the past (it is now ${isoTime(now)}); give a time to come, or delay_seconds`,
      { late_seconds: Math.floor((now - due) / 1000), now: isoTime(now) },
    );
  }
  if (due - now > FARTHEST_MS) {
    throw new HiveError(
      'invalid_request',
      `the reminder would be due in more than ${LIMITS.reminder_days} days, the limit; unix times are given in seconds`,
    );
  }
  return due;
}

function afterDelay(seconds: number, now: number): number {
  const most = LIMITS.reminder_days * 86_400;
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > most) {
    throw new HiveError(
      'invalid_request',
      `delay_seconds must be a whole number from 1 to ${most} (${LIMITS.reminder_days} days)`,
    );
  }
  return now + seconds * 1000;
}

function timeOf(at: string | number): number {
  if (typeof at === 'number') return Math.round(at * 1000);
  if (UNIX_SECONDS.test(at)) return Number(at) * 1000;
  const parsed = WITH_OFFSET.test(at) ? DateTime.fromISO(at, { setZone: true }) : undefined;
  if (parsed?.isValid) return parsed.toMillis();
  throw new HiveError(
    'invalid_request',
    'at must be ISO 8601 with an offset, like "2026-01-31T09:00:00+01:00" or "2026-01-31T08:00:00Z", or unix seconds',
  );
}

function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds === 1 ? '1 second' : `${seconds} seconds`;
}
