import { ApiRefusal, type RunningHive } from '../support/hive.js';
import type { LedgerReader } from './ledger.js';
import type { Random } from './random.js';
import { pause } from './time.js';

/** A call that was not answered is repeated after this long, in milliseconds. */
const AGAIN_MS = 200;
/** No new messages while more than so many wait per agent: the machine is slower than the rate. */
const MOST_WAITING = 3;
/** How often the operator looks for questions, in milliseconds. */
const QUESTIONS_MS = 1500;
/** Messages that follow from one of the operator's, one after the other. */
const LIVES = 3;
/** Calls that the dashboard has not answered yet, at most. */
const OPEN_CALLS = 20;

/** A message of the operator's that the hive has accepted. */
export interface OperatorSend {
  number: number;
  to: string;
  id: string;
}

/** The operator at work: writes to agents at a steady rate and answers what they ask, by the dashboard's API. */
export class Operator {
  readonly sent: OperatorSend[] = [];
  readonly refused: string[] = [];
  answered = 0;
  /** How often a message was left out because too many waited. */
  heldBack = 0;
  private readonly stopping = new AbortController();
  private readonly open = new Set<Promise<unknown>>();
  private loops: Promise<unknown> = Promise.resolve();
  private number = 0;

  constructor(
    private readonly hive: RunningHive,
    private readonly ledger: LedgerReader,
    private readonly agents: readonly string[],
    private readonly random: Random,
    private readonly perMinute: number,
  ) {}

  start(): void {
    this.loops = Promise.all([this.writes(), this.answers()]);
  }

  /** Stops; what is on its way is still sent. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loops;
    await Promise.all(this.open);
  }

  /** Sends a message that only has to be shown; its number, undefined when it was refused. */
  async probe(to: string): Promise<number | undefined> {
    return (await this.send(to, { kind: 'probe' }))?.number;
  }

  /** Does not give up until it is accepted or refused; undefined when it was refused. */
  private async send(
    to: string,
    content: Record<string, unknown>,
  ): Promise<OperatorSend | undefined> {
    const number = ++this.number;
    const body = JSON.stringify({ ...content, n: number });
    const message = { to, body, idempotency_key: `operator-${number}` };
    for (;;) {
      try {
        const { id } = await this.hive.api<{ id: string }>('POST', '/api/messages', message);
        const send = { number, to, id };
        this.sent.push(send);
        return send;
      } catch (error) {
        if (error instanceof ApiRefusal && error.status < 500) {
          this.refused.push(`send ${number} to ${to}: ${error.message}`);
          return undefined;
        }
        // Nobody will ever answer: the run says so.
        if (!this.hive.isRunning) return undefined;
        await pause(AGAIN_MS);
      }
    }
  }

  private async writes(): Promise<void> {
    const everyMs = 60_000 / this.perMinute;
    for (let next = Date.now(); !this.stopping.signal.aborted; next += everyMs) {
      await pause(Math.max(0, next - Date.now()), this.stopping.signal);
      const isTooMuch =
        this.open.size >= OPEN_CALLS || this.ledger.waiting() > MOST_WAITING * this.agents.length;
      if (isTooMuch) {
        this.heldBack += 1;
        continue;
      }
      const to = this.random.pick(this.agents) ?? '';
      const call = this.send(to, { kind: 'work', lives: LIVES });
      this.open.add(call);
      void call.finally(() => this.open.delete(call));
    }
  }

  private async answers(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await pause(QUESTIONS_MS, this.stopping.signal);
      try {
        const { questions } = await this.hive.api<{
          questions: { id: string; target: string | null }[];
        }>('GET', '/api/questions?state=open&agent=operator');
        for (const { id, target } of questions) {
          if (target === null) await this.answer(id);
        }
      } catch {
        // The dashboard or the broker is away: the next look finds the same questions.
      }
    }
  }

  private async answer(id: string): Promise<void> {
    try {
      await this.hive.api('POST', `/api/questions/${id}/answer`, { answer: 'go on' });
      this.answered += 1;
    } catch (error) {
      // An answer whose confirmation was lost is refused when it is repeated.
      if (error instanceof ApiRefusal && error.status < 500 && error.status !== 409) {
        this.refused.push(`answer ${id}: ${error.message}`);
      }
    }
  }
}
