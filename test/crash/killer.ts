import type { FaultKind, Strike } from './faults.js';
import type { Probes } from './probes.js';
import type { Random } from './random.js';
import { pause, until } from './time.js';

/** Part of the mean pause by which a pause may be shorter or longer. */
const JITTER = 0.5;
/** How long a sign of recovery is waited for, in milliseconds. */
const BACK_MS = 120_000;
/** Another kind is tried so often when there was nothing to hit. */
const TRIES = 4;

/** A fault with what became of it; times in milliseconds after the fault. */
export interface FaultRecord {
  kind: string;
  at: number;
  what: string;
  /** When it held nothing any more; 0 for a kill. */
  over_ms: number;
  /** When a message sent after it was shown, and the process was there again; null when never. */
  recovered_ms: number | null;
}

/** Strikes at a steady rate in an order that follows from the seed: each kind once first, then by weight. */
export class Killer {
  readonly faults: FaultRecord[] = [];
  private readonly stopping = new AbortController();
  private readonly watched = new Set<Promise<void>>();
  private loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly kinds: readonly FaultKind[],
    private readonly probes: Probes,
    private readonly random: Random,
    private readonly perMinute: number,
    private readonly tell: (text: string) => void,
  ) {}

  start(): void {
    this.loop = this.run();
  }

  /** No further fault; settles when the last one is over and the hive has recovered from it. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop;
    await Promise.all(this.watched);
  }

  private async run(): Promise<void> {
    const first = this.random.shuffled(this.kinds);
    const meanMs = 60_000 / this.perMinute;
    let next = Date.now();
    for (;;) {
      next += meanMs * this.random.between(1 - JITTER, 1 + JITTER);
      await pause(Math.max(0, next - Date.now()), this.stopping.signal);
      if (this.stopping.signal.aborted) return;
      for (let tried = 0; tried < TRIES; tried += 1) {
        const kind = first.shift() ?? this.random.weighted(this.kinds);
        if (!kind) return;
        const at = Date.now();
        const strike = await kind.strike(this.random);
        if (strike) {
          this.watch(kind.name, at, strike);
          break;
        }
        // One that has not been seen yet comes again.
        if (!this.faults.some((fault) => fault.kind === kind.name)) first.push(kind);
      }
    }
  }

  private watch(kind: string, at: number, strike: Strike): void {
    const { what, over, agent, isBack } = strike;
    const fault: FaultRecord = { kind, at, what, over_ms: 0, recovered_ms: null };
    this.faults.push(fault);
    this.tell(`${String(this.faults.length).padStart(4)}  ${kind} (${what})`);
    const watching = Promise.all([
      over.then(() => {
        fault.over_ms = Math.max(0, Date.now() - at);
        return undefined;
      }),
      this.recovery(agent, isBack).then((shown) => {
        if (shown !== undefined) fault.recovered_ms = Math.max(0, shown - at);
        return undefined;
      }),
    ]).then(() => {
      this.watched.delete(watching);
      return undefined;
    });
    this.watched.add(watching);
  }

  private async recovery(agent: string, isBack: Strike['isBack']): Promise<number | undefined> {
    const [shown, back] = await Promise.all([
      this.probes.shown(agent),
      isBack ? until(isBack, BACK_MS, 25).then((is) => (is ? Date.now() : undefined)) : 0,
    ]);
    return shown === undefined || back === undefined ? undefined : Math.max(shown, back);
  }
}
