import type { Message, Priority } from '#libs/protocol';

/** Thrown by a check: the broker broke an invariant of PROTOCOL.md. */
export class Violation extends Error {
  override readonly name = 'Violation';
  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`);
  }
}

/** One message on its way to one agent. */
export function key(agent: string, message: string): string {
  return `${agent} ${message}`;
}

/** What the callers of the broker know: the other side of every check. */
export class Ledger {
  /** Sends that were answered. */
  readonly sent = new Map<string, { to: string; priority: Priority; unseen: number }>();
  /** Broadcasts and lists that were answered, with their recipients. */
  readonly fannedOut = new Map<string, readonly string[]>();
  /** Deliveries that a turn which ended ok, or a bare session, may have acked. */
  readonly ackable = new Set<string>();
  /** Deliveries that were seen acked: they never come back. */
  readonly acked = new Set<string>();
  /** Turns that failed on their own account, by what woke them. */
  readonly failures = new Map<string, Set<string>>();
  /** Turns that something else than their lease's end may have ended. */
  readonly excused = new Set<string>();
  /** Monotonic time of the last sign of life of each turn. */
  readonly signs = new Map<string, number>();
  /** Monotonic time of the last start of the broker, connection, or clock jump. */
  worldSign = 0;
  /** How often something may have been handed out without an answer that we saw. */
  unseen = 0;

  /** How often the broker crashed, and requests were repeated. */
  crashes = 0;
  repeated = 0;

  private readonly answers = new Map<string, number>();
  private readonly urgentRow = new Map<string, number>();

  /** Requests that were answered, for replay. */
  readonly answered: { method: string; params: object }[] = [];

  /** An answer that hands `message` to `agent` left the broker, whether it arrives or not. */
  handedOut(agent: string, message: Message): void {
    const delivery = key(agent, message.id);
    const before = this.answers.get(delivery) ?? 0;
    this.answers.set(delivery, before + 1);
    if (before > 0 && !message.redelivered) {
      throw new Violation('I2', `${delivery} was handed out before and is not marked`);
    }
    const sent = this.sent.get(message.id);
    if (before === 0 && message.redelivered && sent?.unseen === this.unseen) {
      throw new Violation('I2', `${delivery} is marked and was never handed out`);
    }
  }

  /** Hand-outs in their order, with whether a normal one waited before: at most 8 urgent ones in a row (P10). */
  countUrgent(agent: string, messages: readonly Message[], normalWaited: boolean): void {
    for (const message of messages) {
      if (message.priority === 'low') continue;
      const row =
        message.priority === 'urgent' && normalWaited ? (this.urgentRow.get(agent) ?? 0) + 1 : 0;
      this.urgentRow.set(agent, row);
      if (row > 8)
        throw new Violation('I12', `${agent}: a normal message waits behind ${row} urgent ones`);
    }
  }

  /** Something may have been handed out that nobody saw. */
  lostSight(): void {
    this.unseen += 1;
    this.urgentRow.clear();
  }

  failed(agent: string, wake: string, turn: string): void {
    const delivery = key(agent, wake);
    this.failures.set(delivery, (this.failures.get(delivery) ?? new Set()).add(turn));
  }
}
