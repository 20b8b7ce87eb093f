import type { Clock } from '#libs/service';

/** Level of pino from which a line is shown on the terminal too. */
const WARN = 40;
const ERROR = 50;
/** Characters of a line that are shown; the log holds the rest. */
const SHOWN_CHARACTERS = 300;
/** Bytes of a line that does not end; what is longer is cut. */
const MOST_PENDING = 64 * 1024;
/** Lines of one service that are shown within one period. */
const SHOWN_PER_PERIOD = 10;
const PERIOD_MS = 10_000;

export interface NotableLine {
  level: 'warn' | 'error';
  text: string;
}

/** Picks from the output of one service what the operator should see on the terminal. */
export class NotableLines {
  private pending = '';
  private periodEnds = 0;
  private shown = 0;

  constructor(private readonly clock: Clock) {}

  /** The notable lines that `chunk` completes. A flood is cut: the last line of it says so. */
  take(chunk: Buffer): NotableLine[] {
    const text = this.pending + chunk.toString('utf8');
    const lines = text.split('\n');
    this.pending = (lines.pop() ?? '').slice(-MOST_PENDING);
    return lines
      .map(readLine)
      .filter((line) => line !== undefined)
      .flatMap((line) => this.bound(line));
  }

  private bound(line: NotableLine): NotableLine[] {
    const now = this.clock.monotonic();
    if (now >= this.periodEnds) {
      this.periodEnds = now + PERIOD_MS;
      this.shown = 0;
    }
    this.shown += 1;
    if (this.shown < SHOWN_PER_PERIOD) return [line];
    return this.shown === SHOWN_PER_PERIOD
      ? [line, { level: 'warn', text: '… more of these stand in the log' }]
      : [];
  }
}

function readLine(line: string): NotableLine | undefined {
  if (line.startsWith('{')) {
    try {
      const { level, msg } = JSON.parse(line) as { level?: unknown; msg?: unknown };
      if (typeof level !== 'number' || level < WARN) return undefined;
      return {
        level: level >= ERROR ? 'error' : 'warn',
        text: short(typeof msg === 'string' ? msg : ''),
      };
    } catch {
      // Not one of ours after all: shown as any other line.
    }
  }
  // What is not a log line is a runtime's own complaint; the lines of its stack add nothing here.
  return /(^|\s)(\w*Error|Fatal|FATAL|Warning):? /.test(line)
    ? { level: 'error', text: short(line) }
    : undefined;
}

/** On one line, without control characters that a terminal would obey. */
function short(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, SHOWN_CHARACTERS);
}
