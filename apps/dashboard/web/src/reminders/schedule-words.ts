const UNITS = ['year', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const;
const DURATION =
  /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;

/** When a repeating reminder comes: `every 1 hour 30 minutes` for `PT1H30M`, else its cron expression with its zone. */
export function repeats(every: string, zone: string | null): string {
  const parts = DURATION.exec(every)?.slice(1);
  const words = parts?.flatMap((n, at) => {
    const unit = UNITS[at];
    return n === undefined || unit === undefined
      ? []
      : [`${Number(n)} ${unit}${Number(n) === 1 ? '' : 's'}`];
  });
  if (words && words.length > 0) return `every ${words.join(' ').replace(/^1 /, '')}`;
  return `by ${every}${zone === null ? '' : `, ${zone}`}`;
}
