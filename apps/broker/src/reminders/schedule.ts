import { CronExpressionParser } from 'cron-parser';
import { DateTime, Duration, IANAZone } from 'luxon';

import { HiveError, LIMITS } from '#libs/protocol';

/** How a reminder repeats. */
export interface Repetition {
  /** Cron expression of five fields, or ISO-8601 duration. */
  every: string;
  /** Time zone of a cron expression; null: UTC. */
  every_tz: string | null;
}

/** Where a repeating reminder stands at a moment. */
export interface Standing {
  /** The last due time that has come. */
  latest: number;
  /** Due times before it that have come, and are not delivered for themselves any more. */
  missed: number;
  /** The first due time that has not come. */
  next: number;
}

const LEAST_MS = LIMITS.reminder_every_seconds * 1000;
const FARTHEST_MS = LIMITS.reminder_days * 86_400_000;
/** Due times that are looked at to find the shortest gap of a cron expression. */
const GAPS_LOOKED_AT = 8;
/** Missed due times of a cron expression that are counted: finding one takes 80 µs. */
const MOST_COUNTED = 1000;
const CRON_FIELDS = 5;
// Without `H`, which stands for another value each time it is read.
const CRON_FIELD = /^(?!.*\bH)[0-9A-Za-z*,/\-#]{1,100}$/i;

/**
 * Checks `every` and `every_tz` of a reminder that is first due at `first`; undefined when it does not repeat. Throws
 * `invalid_request`.
 */
export function checkedRepetition(
  every: string | undefined,
  every_tz: string | undefined,
  first: number,
): Repetition | undefined {
  if (every === undefined) {
    if (every_tz !== undefined)
      throw refuse('every_tz is for a cron expression in every; leave it out');
    return undefined;
  }
  if (isDuration(every)) {
    if (every_tz !== undefined)
      throw refuse('every_tz is for a cron expression only; a duration needs no time zone');
    checkDuration(every, first);
    return { every, every_tz: null };
  }
  const repetition = { every, every_tz: every_tz === undefined ? null : checkedZone(every_tz) };
  checkCron(repetition, first);
  return repetition;
}

/** Where a repetition stands `now` that was due at `due`, which has come. Always further than `due` (never drifting). */
export function standingAt(repetition: Repetition, due: number, now: number): Standing {
  return isDuration(repetition.every)
    ? ofDuration(Duration.fromISO(repetition.every), due, now)
    : ofCron(repetition, due, now);
}

function isDuration(every: string): boolean {
  return /^-?P/.test(every);
}

function ofDuration(duration: Duration, due: number, now: number): Standing {
  if (duration.years === 0 && duration.months === 0) {
    const period = Math.round(duration.toMillis());
    const missed = Math.max(0, Math.floor((now - due) / period));
    const latest = due + missed * period;
    return { latest, missed, next: latest + period };
  }
  const after = (time: number) =>
    DateTime.fromMillis(time, { zone: 'utc' }).plus(duration).toMillis();
  return walk(due, now, after, Number.MAX_SAFE_INTEGER);
}

function ofCron(repetition: Repetition, due: number, now: number): Standing {
  const following = cronFrom(repetition, due);
  const standing = walk(due, now, () => following.next().getTime(), MOST_COUNTED);
  if (standing.next > now) return standing;
  // More than are counted: straight to the last one.
  const around = cronFrom(repetition, now + 1);
  return {
    latest: around.prev().getTime(),
    missed: standing.missed,
    next: cronFrom(repetition, now).next().getTime(),
  };
}

function walk(due: number, now: number, after: (time: number) => number, most: number): Standing {
  const standing = { latest: due, missed: 0, next: after(due) };
  while (standing.next <= now && standing.missed < most) {
    standing.latest = standing.next;
    standing.missed += 1;
    standing.next = after(standing.latest);
  }
  return standing;
}

function cronFrom({ every, every_tz }: Repetition, time: number) {
  return CronExpressionParser.parse(every, { currentDate: time, tz: every_tz ?? 'UTC' });
}

function checkDuration(every: string, first: number): void {
  const duration = Duration.fromISO(every);
  if (!duration.isValid)
    throw refuse(`every is not an ISO-8601 duration: write it like "P1D" or "PT5M"`);
  const period = DateTime.fromMillis(first, { zone: 'utc' }).plus(duration).toMillis() - first;
  if (!(period >= LEAST_MS)) throw tooOften();
  if (period > FARTHEST_MS)
    throw refuse(`every is longer than ${LIMITS.reminder_days} days, the limit`);
}

function checkCron(repetition: Repetition, first: number): void {
  const fields = repetition.every.split(' ');
  if (fields.length !== CRON_FIELDS || !fields.every((field) => CRON_FIELD.test(field))) {
    throw refuse(
      'every must be a cron expression of five fields (minute, hour, day, month, weekday; like "0 9 * * 1-5") or an ISO-8601 duration (like "P1D")',
    );
  }
  let gap = Infinity;
  try {
    const times = cronFrom(repetition, first);
    let last = times.next().getTime();
    for (let n = 1; n < GAPS_LOOKED_AT; n += 1) {
      const time = times.next().getTime();
      gap = Math.min(gap, time - last);
      last = time;
    }
  } catch (error) {
    throw refuse(
      `every is not a cron expression that ever comes due: ${error instanceof Error ? error.message.slice(0, 200) : 'it cannot be read'}`,
    );
  }
  if (gap < LEAST_MS) throw tooOften();
}

function checkedZone(zone: string): string {
  if (zone.length <= 64 && /^[A-Za-z]/.test(zone) && IANAZone.isValidZone(zone)) return zone;
  throw refuse('every_tz must be the name of an IANA time zone, like "Europe/Berlin"');
}

function tooOften(): HiveError {
  return refuse(
    `every must be at least ${LIMITS.reminder_every_seconds} seconds apart; take a longer period`,
  );
}

function refuse(problem: string): HiveError {
  return new HiveError('invalid_request', problem);
}
