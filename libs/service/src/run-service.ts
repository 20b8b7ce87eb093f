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
 * The frame of every app's main.ts: start, tell the supervisor, stop once on SIGTERM, SIGINT or when the supervisor is
 * gone (P28), exit 0. A second signal, or the bound, forces the exit. A signal during the start stops after it.
 */
export async function runService({
  name,
  logger,
  stopWithinMs = DEFAULT_STOP_MS,
  start,
}: RunServiceOptions): Promise<void> {
  const stopAsked = Promise.withResolvers<string>();
  let signals = 0;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      signals += 1;
      if (signals > 1) {
        logger.warn(`second ${signal}: leaving at once`);
        process.exit(1);
      }
      stopAsked.resolve(signal);
    });
  }
  if (process.connected)
    process.on('disconnect', () => stopAsked.resolve('the supervisor is gone'));

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

  const why = await stopAsked.promise;
  logger.info(`${name} stops (${why})`);
  const bound = setTimeout(() => {
    logger.error(`${name} did not stop within ${stopWithinMs} ms: forced`);
    process.exit(1);
  }, stopWithinMs);
  try {
    await service.stop();
  } catch (error) {
    logger.error({ err: error }, `${name} failed while stopping`);
    process.exit(1);
  }
  clearTimeout(bound);
  process.exit(0);
}

function tell(message: ServiceMessage): void {
  if (process.connected) process.send?.(message);
}
