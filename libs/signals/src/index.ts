/** What asked the process to stop; the second signal ends it at once. */
export type StopReason = NodeJS.Signals | 'the supervisor is gone';

export interface StopSignals {
  /** Settles with the first request to stop. */
  readonly asked: Promise<StopReason>;
  /** Whether one came already. */
  readonly isAsked: boolean;
  /** Replaces what is done on the second signal: by default the process exits with 1. */
  onSecond: (signal: NodeJS.Signals) => void;
}

let caught: StopSignals | undefined;

/**
 * Catches SIGTERM, SIGINT and the end of the supervisor (P28) from now on; later calls return the same. This library has
 * no imports, so that a program can call it before everything else is loaded: until then a SIGTERM kills (PRODUCT 3.6).
 */
export function catchStopSignals(): StopSignals {
  return (caught ??= listen());
}

function listen(): StopSignals {
  const asked = Promise.withResolvers<StopReason>();
  let first = false;
  const ask = (why: StopReason) => {
    first = true;
    asked.resolve(why);
  };
  let count = 0;
  const signals: StopSignals = {
    asked: asked.promise,
    get isAsked() {
      return first;
    },
    onSecond: () => process.exit(1),
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      count += 1;
      if (count > 1) signals.onSecond(signal);
      ask(signal);
    });
  }
  if (process.connected) process.on('disconnect', () => ask('the supervisor is gone'));
  return signals;
}
