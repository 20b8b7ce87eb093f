import { BROADCAST, type OpenAsk, type OwnReminder, type SendParams } from '#libs/protocol';

import { CHARACTERS } from '../characters/index.js';
import type { Memory } from '../memory/memory.js';
import type { Incoming } from '../prompt/wake-prompt.js';
import { runTurn, type Hands } from '../turn/run-turn.js';

export interface Sent extends Incoming {
  to: string;
  hop: number;
  key: string | undefined;
}

/** The hive as far as a conversation needs it: hands messages on, one turn at a time, until nobody has anything left. */
export class SmallHive {
  readonly sent: Sent[] = [];
  readonly statuses: string[] = [];
  /** Questions that are open. */
  readonly asks: OpenAsk[] = [];
  /** Reminders that are to come. */
  readonly reminders: (OwnReminder & { owner: string })[] = [];
  turns = 0;
  private readonly inboxes = new Map<string, Sent[]>();
  private readonly memories = new Map<string, Memory>();
  private readonly keys = new Map<string, Sent>();

  constructor(
    /** Every turn is run twice, the first time without its memory being kept, as after a crash at its end. */
    private readonly redeliver = false,
  ) {}

  say(
    from: string,
    { to, body, in_reply_to, idempotency_key: key }: SendParams,
    hop: number,
    kind?: string,
  ): Sent {
    const known = key === undefined ? undefined : this.keys.get(`${from}/${key}`);
    if (known) {
      if (known.to !== to || known.body !== body) throw new Error(`${from} says it otherwise now`);
      return known;
    }
    const root = this.sent.find(({ id }) => id === in_reply_to);
    const id = `m${this.sent.length + 1}`;
    const message: Sent = {
      id,
      thread_id: root?.thread_id ?? id,
      ...(root ? { in_reply_to: root.id } : {}),
      from,
      to: String(to),
      body,
      hop,
      key,
      ...(kind === undefined ? {} : { kind }),
      ...(to === BROADCAST ? { broadcast: true } : {}),
    };
    this.sent.push(message);
    if (key !== undefined) this.keys.set(`${from}/${key}`, message);
    const everyone = Object.keys(CHARACTERS).filter((name) => name !== from);
    for (const name of to === BROADCAST ? everyone : [message.to]) {
      this.inboxes.set(name, [...(this.inboxes.get(name) ?? []), message]);
    }
    return message;
  }

  /** The operator answers the oldest open question. */
  answer(asker: string, body: string): void {
    if (!this.asks.shift()) throw new Error('no question is open');
    this.say('operator', { to: asker, body }, 0, 'answer');
  }

  /** The time of every reminder has come. */
  remindAll(): void {
    for (const { owner, message } of this.reminders.splice(0)) {
      this.say('reminder', { to: owner, body: message }, 0, 'reminder');
    }
  }

  /** Runs turns until every agent's inbox is empty. */
  async run(most = 200): Promise<void> {
    for (;;) {
      const name = Object.keys(CHARACTERS).find((one) => (this.inboxes.get(one) ?? []).length > 0);
      if (name === undefined) return;
      this.turns += 1;
      if (this.turns > most) throw new Error('the conversation does not end');
      const [woken, ...rest] = this.inboxes.get(name) ?? [];
      this.inboxes.set(name, []);
      if (woken) await this.turn(name, woken, rest);
    }
  }

  private async turn(name: string, woken: Sent, rest: Sent[]): Promise<void> {
    const script = CHARACTERS[name];
    if (!script) throw new Error(`nobody plays ${name}`);
    const before = this.memories.get(name) ?? { threads: {}, next: [], last: '' };
    let goesOn = false;
    const hop = 1 + Math.max(woken.hop, ...rest.map((message) => message.hop));
    const runs = this.redeliver ? 2 : 1;
    for (let run = 0; run < runs; run += 1) {
      const memory = structuredClone(before);
      let waiting = rest;
      const hands: Hands = {
        send: async (message) => {
          const { id, thread_id, to } = this.say(name, message, hop);
          return { id, thread_id, recipients: [to] };
        },
        drain: async () => {
          const drained = waiting;
          waiting = [];
          return drained as unknown as Awaited<ReturnType<Hands['drain']>>;
        },
        ask: async ({ question, options = [], to = 'operator' }) => {
          const id = `q${this.asks.length + 1}`;
          this.asks.push({ id, target: to, question, options, asked_at: '' });
        },
        asks: async () => this.asks,
        remind: async ({ message }) => {
          const id = `r${this.reminders.length + 1}`;
          const coming = { due_at: '', state: 'pending', attempt_count: 0 } as const;
          this.reminders.push({ id, message, owner: name, ...coming });
        },
        reminders: async () => this.reminders.filter(({ owner }) => owner === name),
        status: async (text) => {
          this.statuses.push(text);
        },
        again: async () => {
          goesOn = true;
        },
        peers: async () => [
          { name, role: 'agent', state: 'running', turn_state: 'idle', status_text: 'x' },
        ],
      };
      await runTurn({
        script,
        woken: [woken],
        hands,
        memory,
        show: () => undefined,
        think: () => Promise.resolve(),
      });
      this.memories.set(name, memory);
    }
    if (goesOn) this.say('self', { to: name, body: 'Go on with your work.' }, hop - 1);
  }
}
