import { fs } from '../platform/builtins.js';
import type { Clock } from '../time/clock.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
const ORDER: LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Writes one JSON line per entry; c0re takes the harness' stdout into the agent's journal. Never pass a token. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** `lowest` is the least important level that is written; an unknown one means info. */
export function createLog(
  base: Record<string, unknown>,
  clock: Pick<Clock, 'now'>,
  lowest: string = 'info',
  write: (line: string) => void = writeToStdout,
): Log {
  const from = Math.max(
    0,
    ORDER.includes(lowest as LogLevel) ? ORDER.indexOf(lowest as LogLevel) : ORDER.indexOf('info'),
  );
  const at =
    (level: LogLevel) =>
    (message: string, fields: Record<string, unknown> = {}) => {
      if (ORDER.indexOf(level) < from) return;
      const time = new Date(clock.now()).toISOString();
      write(`${JSON.stringify({ level, time, ...base, ...fields, msg: message })}\n`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A line that cannot be written is dropped: process.stdout would end the harness on a full disk, or never write again. */
function writeToStdout(line: string): void {
  try {
    fs.writeSync(process.stdout.fd, line);
  } catch {
    // Nowhere to tell it.
  }
}

/** What an exception says, for a log field. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
