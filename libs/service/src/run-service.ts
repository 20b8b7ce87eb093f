import { catchStopSignals } from '#libs/signals';

import type { Logger } from './log.js';

/** What the supervisor and a service say to each other over the IPC channel of the child process. */
export type ServiceMessage = { type: 'ready' } | { type: 'failed'; message: string };

export interface RunningService {
  /** Drains and closes; must settle by itself, `stopWithinMs` is only the bound. */
  stop: () => Promise<void>;
}

export interface RunServiceOptions {
  name: string;
  logger: Logger;
  /** Bound of a clean stop; past it the process exits with 1. */
  stopWithinMs?: number;
  start: () => Promise<RunningService>;
}

/** Bound of a clean stop when the service names none. */
const DEFAULT_STOP_MS = 10_000;

/**
 * The frame of every service: start, tell the supervisor, stop once on SIGTERM, SIGINT or when the supervisor is gone
 * (P28), exit 0. A second signal, or the bound, which counts from the first one, forces the exit. What is asked to stop
 * before it began to start ends at once; while it starts, it stops after the start.
 */
export async function runService({
  name,
  logger,
  stopWithinMs = DEFAULT_STOP_MS,
  start,
}: RunServiceOptions): Promise<void> {
  const signals = catchStopSignals();
  signals.onSecond = (signal) => {
    logger.warn(`second ${signal}: leaving at once`);
    process.exit(1);
  };
  // Signals that came while the code was loaded are known after one turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  if (signals.isAsked) {
    logger.info(`${name} does not start (${await signals.asked})`);
    process.exit(0);
  }
  void signals.asked.then((why) => {
    logger.info(`${name} stops (${why})`);
    setTimeout(() => {
      logger.error(`${name} did not stop within ${stopWithinMs} ms: forced`);
      process.exit(1);
    }, stopWithinMs);
    return why;
  });

  let service: RunningService;
  try {
    service = await start();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    logger.fatal({ err: error }, `${name} cannot start: ${message}`);
    tell({ type: 'failed', message });
    process.exit(1);
  }
  tell({ type: 'ready' });
  logger.info(`${name} is ready`);

  await signals.asked;
  try {
    await service.stop();
  } catch (error) {
    logger.error({ err: error }, `${name} failed while stopping`);
    process.exit(1);
  }
  process.exit(0);
}

function tell(message: ServiceMessage): void {
  if (process.connected) process.send?.(message);
}
