import type { SendParams } from '#libs/protocol';

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
    };
    this.sent.push(message);
    if (key !== undefined) this.keys.set(`${from}/${key}`, message);
    const inbox = this.inboxes.get(message.to) ?? [];
    this.inboxes.set(message.to, [...inbox, message]);
    return message;
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
