import path from 'node:path';

import { writeDurably } from '../files/durable-file.js';
import type { Log } from '../logging/log.js';
import { crypto, fs } from '../platform/builtins.js';
import type { Clock } from '../time/clock.js';
import { CliRecord } from './cli-record.js';
import { endProcesses, findMarked } from './marked-processes.js';

/** Time that a former harness' CLI gets between SIGTERM and SIGKILL, and after that, in milliseconds. */
const GRACE_MS = 2000;
const KILL_MS = 10_000;

/** What a harness needs to start and end CLIs: this agent's mark and the record of the CLI that runs. */
export interface CliTraces {
  mark: string;
  record: CliRecord;
  /** Folder for the credentials of runs; empty at first. */
  runsDir: string;
}

/**
 * Ends the CLI of the former harness with all its marked children and waits until they are gone (P4); only then may
 * the new harness speak to the hive. Throws when they cannot be ended.
 */
export async function endPredecessor(workDir: string, clock: Clock, log: Log): Promise<CliTraces> {
  fs.mkdirSync(workDir, { recursive: true, mode: 0o700 });
  const mark = markOf(workDir);
  const record = new CliRecord(path.join(workDir, 'cli.json'));
  const find = () => {
    const recorded = record.living();
    const marked = findMarked(mark);
    return recorded === undefined || marked.includes(recorded) ? marked : [...marked, recorded];
  };
  const ended = await endProcesses(find, { graceMs: GRACE_MS, killMs: KILL_MS, clock });
  if (ended > 0) log.warn('processes of the former harness were ended', { processes: ended });
  record.clear();
  const runsDir = path.join(workDir, 'runs');
  fs.rmSync(runsDir, { recursive: true, force: true });
  fs.mkdirSync(runsDir, { mode: 0o700 });
  return { mark, record, runsDir };
}

/** The mark of this agent's CLI processes: random, made once, so that no other hive on the machine shares it. */
function markOf(workDir: string): string {
  const file = path.join(workDir, 'mark');
  try {
    const mark = fs.readFileSync(file, 'utf8').trim();
    if (/^[0-9a-f]{32}$/.test(mark)) return mark;
  } catch {
    // The first start of this agent.
  }
  const mark = crypto.randomBytes(16).toString('hex');
  writeDurably(file, mark);
  return mark;
}
