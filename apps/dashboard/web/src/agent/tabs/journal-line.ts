/** A line of a service's log for people: the harness writes JSON, its CLI writes what it likes. */
export interface JournalLine {
  level: 'debug' | 'info' | 'warn' | 'error' | 'plain';
  time?: string;
  text: string;
  /** The line's other fields. */
  more?: string;
}

/** As in a log: 24 hours, two digits each. */
const CLOCK = {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
} as const;

/** Pino's numbers, lowest first. */
const LEVELS = [
  [50, 'error'],
  [40, 'warn'],
  [30, 'info'],
] as const;

export function journalLine(line: string): JournalLine {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return { level: 'plain', text: line };
  }
  if (typeof entry !== 'object' || entry === null || !('msg' in entry)) {
    return { level: 'plain', text: line };
  }
  const {
    msg,
    level,
    time,
    pid: _pid,
    hostname: _host,
    name: _name,
    ...more
  } = entry as Record<string, unknown>;
  const at = typeof time === 'number' || typeof time === 'string' ? new Date(time) : undefined;
  const rest = Object.entries(more)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
  return {
    level: levelOf(level),
    ...(at && !Number.isNaN(at.getTime()) ? { time: at.toLocaleTimeString(undefined, CLOCK) } : {}),
    text: String(msg),
    ...(rest ? { more: rest } : {}),
  };
}

function levelOf(level: unknown): JournalLine['level'] {
  if (typeof level === 'string') {
    return (['debug', 'info', 'warn', 'error'] as const).find((name) => name === level) ?? 'info';
  }
  return LEVELS.find(([least]) => Number(level) >= least)?.[1] ?? 'debug';
}
