/** Time as every component takes it, so that tests can move it. */
export interface Clock {
  /** Wall clock, milliseconds since 1970; may jump. */
  now(): number;
  /** Milliseconds that only rise; for leases and time-outs (P14). */
  monotonic(): number;
  /** Calls `run` once after `ms`; returns what takes it back. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

interface Alarm {
  due: number;
  run: () => void;
}

/** A clock that moves only when it is told to; for tests. */
export class ManualClock implements Clock {
  private wall: number;
  private steady = 0;
  private alarms: Alarm[] = [];

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.wall = start;
  }

  now(): number {
    return this.wall;
  }

  monotonic(): number {
    return this.steady;
  }

  after(ms: number, run: () => void): () => void {
    const alarm = { due: this.steady + Math.max(0, ms), run };
    this.alarms.push(alarm);
    return () => {
      this.alarms = this.alarms.filter((other) => other !== alarm);
    };
  }

  /** Moves both clocks by `ms`, ringing the alarms on the way in their order. */
  advance(ms: number): void {
    const end = this.steady + ms;
    for (;;) {
      const next = this.alarms
        .filter((alarm) => alarm.due <= end)
        .toSorted((a, b) => a.due - b.due)[0];
      if (!next) break;
      const step = Math.max(0, next.due - this.steady);
      this.wall += step;
      this.steady += step;
      this.alarms = this.alarms.filter((alarm) => alarm !== next);
      next.run();
    }
    this.wall += end - this.steady;
    this.steady = end;
  }

  /** Moves both clocks by `ms` and rings nothing, as a stalled event loop does; what came due rings with `advance`. */
  stall(ms: number): void {
    this.wall += ms;
    this.steady += ms;
  }

  /** Moves the wall clock alone, as an administrator or NTP does. */
  jump(ms: number): void {
    this.wall += ms;
  }
}
