import type { Clock } from '#libs/service';

/** Pause before what could not be written is tried again, in milliseconds. */
const AGAIN_MS = 1000;

/**
 * Writes files that follow the supervisor's state. A full disk must not end the supervisor, and with it the hive: what
 * cannot be written is tried again until it is, or until something newer takes its place.
 */
export class InsistentWriter {
  private takeBack: (() => void) | undefined;
  private isBroken = false;

  /** `onTrouble` is told once per outage. */
  constructor(
    private readonly clock: Pick<Clock, 'after'>,
    private readonly onTrouble: (error: Error) => void,
  ) {}

  write(work: () => void): void {
    this.stop();
    try {
      work();
      this.isBroken = false;
    } catch (error) {
      if (!this.isBroken) this.onTrouble(error as Error);
      this.isBroken = true;
      this.takeBack = this.clock.after(AGAIN_MS, () => this.write(work));
    }
  }

  /** Nothing is tried again. */
  stop(): void {
    this.takeBack?.();
    this.takeBack = undefined;
  }
}
