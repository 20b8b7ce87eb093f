import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { ApiRefusal, type RunningHive } from '../support/hive.js';

/** Pause between two messages of the operator, in milliseconds. */
const EVERY_MS = 120;
/** A call that the dashboard did not answer is repeated after this long, in milliseconds. */
const AGAIN_MS = 200;

/** What a recorder wrote down of one hand-out. */
export interface Seen {
  id: string;
  body: string;
  redelivered: boolean;
  turn: string;
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** The operator writes numbered messages to the agents in turn, and does not give up on one until it is accepted. */
export class Traffic {
  /** Accepted messages by id, with their recipient. */
  readonly sent = new Map<string, string>();
  private running = true;
  private readonly done: Promise<void>;

  constructor(
    private readonly hive: RunningHive,
    private readonly agents: readonly string[],
  ) {
    this.done = this.run();
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.done;
  }

  private async run(): Promise<void> {
    for (let n = 1; this.running; n += 1) {
      const to = this.agents[n % this.agents.length] ?? '';
      const { id } = await this.send(to, `number ${n}`);
      this.sent.set(id, to);
      await pause(EVERY_MS);
    }
  }

  private async send(to: string, body: string): Promise<{ id: string }> {
    const idempotencyKey = randomUUID();
    for (;;) {
      try {
        return await this.hive.api('POST', '/api/messages', {
          to,
          body,
          idempotency_key: idempotencyKey,
        });
      } catch (error) {
        if (error instanceof ApiRefusal && error.status < 500) throw error;
        await pause(AGAIN_MS);
      }
    }
  }
}

/** Everything that an agent was shown, in its order. */
export function journalOf(hive: RunningHive, agent: string): Seen[] {
  const file = path.join(hive.home, 'agents', agent, 'state/journal.jsonl');
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Seen);
}
