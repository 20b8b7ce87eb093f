/** How soon something is read again after an event, and how long it then rests at least, in milliseconds. */
const SOON_MS = 120;
const REST_MS = 1000;

/**
 * Reads again what only the hive can put together, whenever an event says that it may have changed: soon, one read at a
 * time, and at most one a second however many events come.
 */
export class LiveRead {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reading = false;
  #again = false;
  #stopped = false;
  #restsUntil = 0;

  constructor(private readonly read: () => Promise<void>) {}

  /** Something changed: reads soon, or when the read under way has ended. */
  changed(): void {
    if (this.#stopped || this.#timer !== undefined) return;
    if (this.#reading) {
      // What is being read may be from before the change.
      this.#again = true;
      return;
    }
    const wait = Math.max(SOON_MS, this.#restsUntil - Date.now());
    this.#timer = setTimeout(() => void this.now(), wait);
  }

  /** Reads at once. `read` tells its own failure; this never rejects. */
  async now(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    await this.read();
    this.#reading = false;
    this.#restsUntil = Date.now() + REST_MS;
    if (!this.#again) return;
    this.#again = false;
    this.changed();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
