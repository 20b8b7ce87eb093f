import { systemClock, type Clock, type Logger } from '#libs/service';
import type { CommitFaults } from '#libs/store';

import type { RetentionTerms } from './retention/retention.terms.js';

/** Bounds of the whole hive on starting turns, whatever causes them (P15). */
export interface GrantLimits {
  /** Turns that may be live at once. */
  liveTurns: number;
  /** Turns that may start per second, and how many of them at once after a quiet time. */
  perSecond: number;
  burst: number;
  /** The same for turns that broadcasts start; default: LIMITS. */
  broadcastsPerSecond?: number;
  broadcastBurst?: number;
}

/** Enough for some hundred agents on one machine, too little for a broadcast to start a thousand models at once. */
export const DEFAULT_GRANT_LIMITS: GrantLimits = { liveTurns: 256, perSecond: 50, burst: 100 };

/** What a broker is made of; main.ts takes it from the environment, tests give their own. */
export interface BrokerOptions {
  /** Folder of threads.db and telemetry.db. */
  dbDir: string;
  /** Folder of the hive's sockets; without it the broker listens nowhere and is called in process. */
  runtimeDir?: string;
  /** Without it no event leaves the broker; what has to is kept in the outbox. */
  redisUrl?: string;
  logger: Logger;
  /** Revision of the hive, as `whoami` tells it to a bare client. */
  rev?: string;
  clock?: Clock;
  /** Crash points for tests. */
  faults?: CommitFaults;
  grantLimits?: GrantLimits;
  /** How long what is kept; by default DEFAULT_RETENTION. */
  retention?: RetentionTerms;
  /** Requests in one transaction at most. */
  maxBatch?: number;
  /** How long a confirmation may wait to ride on another commit, in milliseconds. */
  confirmWithinMs?: number;
  /** How long a gateway may take to close a run before its connection is dropped, in milliseconds (P4). */
  closeRunWithinMs?: number;
  /** Built program of the search index' thread; by default the one beside the built broker. */
  searchProgram?: string;
  /** The database does not confirm writes any more: by default the process ends, and its next start goes by the disk. */
  onUnknownOutcome?: (error: unknown) => void;
}

/** Injection token of the BrokerOptions. */
export const BROKER_OPTIONS = Symbol('BROKER_OPTIONS');
/** Injection token of the Clock. */
export const CLOCK = Symbol('CLOCK');
/** Injection token of the Logger. */
export const LOGGER = Symbol('LOGGER');

/** The clock of these options. */
export function clockOf(options: BrokerOptions): Clock {
  return options.clock ?? systemClock;
}
