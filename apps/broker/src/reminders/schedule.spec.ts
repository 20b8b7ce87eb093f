import { describe, expect, it } from 'vitest';

import { HiveError, LIMITS } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { dueTime } from './due-time.js';
import { assertFilePath } from './file-path.js';
import { checkedRepetition, standingAt } from './schedule.js';

const NOW = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const DAY = 86_400_000;
const at = (text: string) => Date.parse(text);

function problem(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof HiveError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe(verifies('3.1', 'P22') + 'the due time of a reminder', () => {
  it.each([
    [{ delay_seconds: 1 }, NOW + 1000],
    [{ delay_seconds: LIMITS.reminder_days * 86_400 }, NOW + LIMITS.reminder_days * DAY],
    [{ at: '2026-01-01T01:00:00+01:00' }, NOW],
    [{ at: '2026-01-01T09:30Z' }, at('2026-01-01T09:30:00Z')],
    [{ at: NOW / 1000 + 60 }, NOW + MINUTE],
    [{ at: String(NOW / 1000 + 60) }, NOW + MINUTE],
  ])('is read from %j', (given, due) => {
    expect(dueTime(given, NOW)).toBe(due);
  });

  it.each([
    [{}, 'neither'],
    [{ delay_seconds: 5, at: '2026-02-01T00:00:00Z' }, 'both'],
    [{ delay_seconds: 0 }, 'whole number'],
    [{ delay_seconds: 1.5 }, 'whole number'],
    [{ delay_seconds: -5 }, 'whole number'],
    [{ delay_seconds: Number.NaN }, 'whole number'],
    [{ delay_seconds: LIMITS.reminder_days * 86_400 + 1 }, 'whole number'],
    [{ at: '2025-12-31T23:59:48Z' }, '12 seconds in the past'],
    [{ at: NOW / 1000 - 1 }, '1 second in the past'],
    [{ at: 0 }, 'in the past'],
    [{ at: '2026-01-02T00:00:00' }, 'with an offset'],
    [{ at: '2026-01-02' }, 'with an offset'],
    [{ at: '2026-13-02T00:00:00Z' }, 'with an offset'],
    [{ at: 'tomorrow' }, 'with an offset'],
    [{ at: '' }, 'with an offset'],
    [{ at: '\u202e2026-01-02T00:00:00Z' }, 'with an offset'],
    [{ at: NOW + MINUTE }, 'unix times are given in seconds'],
    [{ at: '2126-01-01T00:00:00Z' }, 'days'],
  ])('refuses %j', (given, words) => {
    expect(problem(() => dueTime(given, NOW))).toContain(words);
    expect(problem(() => dueTime(given, NOW))).toContain('invalid_request');
  });
});

describe(verifies('3.1', 'P22') + 'a repetition', () => {
  it.each([
    ['*/5 * * * *', undefined],
    ['0 9 * * MON-FRI', 'Europe/Berlin'],
    ['0 0 29 2 *', 'UTC'],
    ['P1D', undefined],
    ['PT60S', undefined],
    ['P1M', undefined],
  ])('takes %s in %s', (every, zone) => {
    expect(checkedRepetition(every, zone, NOW)).toEqual({ every, every_tz: zone ?? null });
  });

  it.each([
    ['', undefined, 'five fields'],
    ['* * * *', undefined, 'five fields'],
    ['* * * * * *', undefined, 'five fields'],
    ['@daily', undefined, 'five fields'],
    ['H * * * *', undefined, 'five fields'],
    ['60 * * * *', undefined, 'not a cron expression'],
    ['0 0 31 2 *', undefined, 'not a cron expression'],
    ['0 9 * * 9', undefined, 'not a cron expression'],
    ['0 9 \u202e * * *', undefined, 'five fields'],
    ['0 9 * * 1\0', undefined, 'five fields'],
    ['PT59S', undefined, 'at least 60 seconds'],
    ['PT0S', undefined, 'at least 60 seconds'],
    ['-P1D', undefined, 'at least 60 seconds'],
    ['PnonsenseD', undefined, 'not an ISO-8601 duration'],
    ['P999999999Y', undefined, 'at least 60 seconds'],
    ['P20Y', undefined, 'is longer'],
    ['P1D', 'Europe/Berlin', 'cron expression only'],
    [undefined, 'Europe/Berlin', 'leave it out'],
    ['0 9 * * *', 'Mars/Olympus', 'IANA'],
    ['0 9 * * *', '+01:00', 'IANA'],
    ['0 9 * * *', '', 'IANA'],
  ])('refuses %j in %s', (every, zone, words) => {
    expect(problem(() => checkedRepetition(every, zone, NOW))).toContain(words);
  });

  it('follows from the last due time and never drifts', () => {
    const daily = { every: 'P1D', every_tz: null };
    expect(standingAt(daily, NOW, NOW + 7)).toEqual({ latest: NOW, missed: 0, next: NOW + DAY });
    expect(standingAt(daily, NOW, NOW + 3 * DAY + 7)).toEqual({
      latest: NOW + 3 * DAY,
      missed: 3,
      next: NOW + 4 * DAY,
    });
    expect(standingAt(daily, NOW, NOW + DAY)).toEqual({
      latest: NOW + DAY,
      missed: 1,
      next: NOW + 2 * DAY,
    });
    const monthly = { every: 'P1M', every_tz: null };
    expect(standingAt(monthly, NOW, NOW).next).toBe(at('2026-02-01T00:00:00Z'));
  });

  it('keeps a cron expression to its wall clock over a change of the hour', () => {
    const berlin = { every: '0 9 * * *', every_tz: 'Europe/Berlin' };
    const before = at('2026-03-28T08:00:00Z');
    expect(standingAt(berlin, before, before).next).toBe(at('2026-03-29T07:00:00Z'));
    const utc = { every: '0 9 * * *', every_tz: null };
    expect(standingAt(utc, before, before).next).toBe(at('2026-03-28T09:00:00Z'));
  });

  it('goes straight to now after a very long time', () => {
    const often = { every: '* * * * *', every_tz: null };
    const standing = standingAt(often, NOW, NOW + 30 * DAY + 5);
    expect(standing.latest).toBe(NOW + 30 * DAY);
    expect(standing.next).toBe(NOW + 30 * DAY + MINUTE);
    expect(standing.missed).toBe(1000);
  });
});

describe(verifies('P23') + 'the path of a reminder', () => {
  it.each(['report.md', 'reminders/r1.md', 'a/b/c', '..a/b..', 'ä/ö.md'])('takes %s', (path) => {
    expect(problem(() => assertFilePath(path))).toBeUndefined();
  });

  it.each([
    '',
    '/etc/passwd',
    '../x',
    'a/../../x',
    'a/..',
    '.',
    './a',
    'a//b',
    'a/',
    'a\0b',
    'a\nb',
    'a\u202eb',
    '\ud800',
    'x'.repeat(201),
  ])('refuses %j', (path) => {
    expect(problem(() => assertFilePath(path))).toContain('invalid_request: file_path');
  });
});
