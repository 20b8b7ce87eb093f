import type { LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';

import { LineOutput } from './line-output.js';

export type { Logger };

/** Paths that never reach a log (PRODUCT 8.4). */
const SECRETS = [
  'token',
  '*.token',
  'authorization',
  '*.authorization',
  'headers.authorization',
  'cookie',
  '*.cookie',
  'page_secret',
  '*.page_secret',
  'password',
  '*.password',
];

const STDOUT = 1;
const WARN = 40;

/**
 * A JSON logger on stdout; the supervisor collects the lines of every service. A full disk or a reader that is gone costs
 * lines, and nothing else: pino's own output would end the process or hold up its end.
 */
export function createLogger(service: string, level: string, fd = STDOUT): Logger {
  const lossOf = (count: number) => {
    const time = new Date().toISOString();
    const msg = `${count} lines of the log could not be written and are lost`;
    return JSON.stringify({ level: WARN, time, service, msg });
  };
  const options = {
    name: service,
    level,
    base: { service },
    redact: { paths: SECRETS, censor: '[secret]' },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return pino(options, new LineOutput(fd, lossOf));
}

/** Nest's own messages through the same logger, its start-up chatter at debug. */
export class NestLog implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, context?: unknown): void {
    this.logger.debug({ context }, String(message));
  }
  debug(message: unknown, context?: unknown): void {
    this.logger.debug({ context }, String(message));
  }
  verbose(message: unknown, context?: unknown): void {
    this.logger.trace({ context }, String(message));
  }
  warn(message: unknown, context?: unknown): void {
    this.logger.warn({ context }, String(message));
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.logger.error({ rest }, String(message));
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.logger.fatal({ rest }, String(message));
  }
}
