import { Socket } from 'node:net';

import { systemClock } from '#libs/service';

import { ServiceFailedError } from '../processes/service.process.js';
import { processTerminal } from '../terminal/terminal.js';
import { explainFailure, Hive } from './hive.js';
import type { PreparedHive } from './prepare.js';

/**
 * Signals closer together than this are one wish: Ctrl-C reaches the supervisor from the terminal and once more from npm,
 * which hands it on. In milliseconds.
 */
const SAME_WISH_MS = 500;

/** Why the hive is to stop: settles at the first signal, or when `npm start` is gone. */
export class StopWish {
  private readonly asked = Promise.withResolvers<void>();
  private askedAt: number | undefined;
  private onForce: (() => void) | undefined;

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => this.ask());
    }
  }

  get promise(): Promise<void> {
    return this.asked.promise;
  }

  get isAsked(): boolean {
    return this.askedAt !== undefined;
  }

  /** What a second, later signal does. */
  onSecond(force: () => void): void {
    this.onForce = force;
  }

  /** Also stops when the other end of this pipe is gone: the process that holds it was killed. */
  watchParent(fd: number): void {
    const pipe = new Socket({ fd, readable: true, writable: false });
    pipe.on('close', () => {
      if (!this.isAsked) this.ask();
    });
    pipe.on('error', () => {});
    pipe.resume();
    pipe.unref();
  }

  private ask(): void {
    const now = performance.now();
    if (this.askedAt === undefined) {
      this.askedAt = now;
      this.asked.resolve();
    } else if (now - this.askedAt > SAME_WISH_MS) {
      this.onForce?.();
    }
  }
}

/** Runs the hive until it is to stop. Returns the exit code: 0 after a clean stop, 1 when it could not start. */
export async function runHive(
  prepared: PreparedHive,
  wish: StopWish,
  askedAt: number,
): Promise<number> {
  const hive = new Hive(prepared, systemClock, processTerminal, askedAt);
  wish.onSecond(() => {
    processTerminal.problem('stopped by force');
    hive.forceStop();
    process.exit(1);
  });
  let code = 0;
  try {
    await Promise.race([hive.start(), wish.promise]);
    await wish.promise;
  } catch (error) {
    code = 1;
    const isKnown = error instanceof ServiceFailedError;
    processTerminal.problem(
      isKnown ? explainFailure(error, prepared.home) : `the hive cannot start: ${String(error)}`,
    );
  }
  await hive.stop();
  processTerminal.line('stopped');
  return code;
}
