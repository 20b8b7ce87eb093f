import type { CallSignal } from '#libs/ipc';
import { HiveError } from '#libs/protocol';
import type { Clock } from '#libs/service';

/** What ends a parked call when nothing else does. */
export interface ParkedCallOptions {
  clock: Clock;
  waitMs: number;
  /** Aborted when the caller is gone. */
  signal: CallSignal;
  /** The time is up; the call is over, and this answers it. */
  onTimeout: () => void;
  /** The caller is gone. */
  onGone: () => void;
}

/** A call that waits in memory for something to happen. It is answered or refused once; what comes later has no effect. */
export class ParkedCall<T> {
  private readonly outcome = Promise.withResolvers<T>();
  private readonly cleanUp: () => void;
  private over = false;

  constructor({ clock, waitMs, signal, onTimeout, onGone }: ParkedCallOptions) {
    const gone = () => {
      if (!this.leave()) return;
      this.outcome.reject(new HiveError('cancelled', 'the call was cancelled'));
      onGone();
    };
    const stopTimer = clock.after(waitMs, () => {
      if (!this.over) onTimeout();
    });
    signal.addEventListener('abort', gone, { once: true });
    this.cleanUp = () => {
      stopTimer();
      signal.removeEventListener('abort', gone);
    };
  }

  get answered(): Promise<T> {
    return this.outcome.promise;
  }

  /** True once it was answered, refused or left: nothing may be handed to it any more. */
  get isOver(): boolean {
    return this.over;
  }

  answer(value: T): void {
    if (this.leave()) this.outcome.resolve(value);
  }

  refuse(error: HiveError): void {
    if (this.leave()) this.outcome.reject(error);
  }

  /** Ends the wait and answers with what `answer` brings. */
  answerWith(answer: Promise<T>): void {
    if (this.leave()) answer.then(this.outcome.resolve, this.outcome.reject);
  }

  private leave(): boolean {
    if (this.over) return false;
    this.over = true;
    this.cleanUp();
    return true;
  }
}
