import path from 'node:path';

import type { Clock } from '#libs/service';

import { LogFile } from '../logs/log-file.js';
import { NotableLines } from '../logs/notable-lines.js';
import type { Terminal } from '../terminal/terminal.js';

/** Services whose own words are not ours to show: Redis warns about the machine's settings at each start. */
const QUIET = new Set(['redis']);

interface ServiceLog {
  file: LogFile;
  stdout: NotableLines;
  stderr: NotableLines;
}

/** Writes what services say to `$HIVE_HOME/logs/<service>.log` and shows warnings and errors on the terminal. */
export class ServiceLogs {
  private readonly logs = new Map<string, ServiceLog>();

  constructor(
    private readonly home: string,
    private readonly clock: Clock,
    private readonly terminal: Terminal,
  ) {}

  pathOf(service: string): string {
    return path.join(this.home, 'logs', `${service}.log`);
  }

  take(service: string, stream: 'stdout' | 'stderr', chunk: Buffer): void {
    const log = this.logOf(service);
    log.file.write(chunk);
    if (QUIET.has(service)) return;
    for (const { level, text } of log[stream].take(chunk)) {
      this.terminal.problem(`${service} ${level}: ${text}`);
    }
  }

  /** A line of the supervisor's own, in the same form as those of the services. */
  note(message: string, facts: Record<string, unknown> = {}): void {
    const line = { time: new Date(this.clock.now()).toISOString(), ...facts, msg: message };
    this.logOf('supervisor').file.write(
      `${JSON.stringify({ level: 30, service: 'supervisor', ...line })}\n`,
    );
  }

  close(): void {
    for (const { file } of this.logs.values()) file.close();
    this.logs.clear();
  }

  private logOf(service: string): ServiceLog {
    const known = this.logs.get(service);
    if (known) return known;
    const file = new LogFile(this.pathOf(service), (error) =>
      this.terminal.problem(`the log of ${service} cannot be written: ${error.message}`),
    );
    const log = {
      file,
      stdout: new NotableLines(this.clock),
      stderr: new NotableLines(this.clock),
    };
    this.logs.set(service, log);
    return log;
  }
}
