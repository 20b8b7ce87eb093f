import Database from 'better-sqlite3';

import { LIMITS, type ReminderNote } from '#libs/protocol';

import type { Note } from './notes.js';
import type { OperatorSend } from './operator.js';
import { numberOf, outOfOrder, sightingsOf, unmarked, type Done, type Seen } from './sightings.js';
import { percentile } from './time.js';

/** A number that has to be 0, with some of what it counts. */
export interface Check {
  what: string;
  count: number;
  examples: string[];
}

export interface Verdict {
  checks: Check[];
  facts: Record<string, number | null>;
}

/** What everybody who saw the run can say of it. */
export interface Evidence {
  /** threads.db of the hive, which has stopped. */
  database: string;
  /** By agent. */
  notes: ReadonlyMap<string, readonly Note[]>;
  operator: { sent: readonly OperatorSend[]; refused: readonly string[] };
  /** When traffic began and when all was drained, in milliseconds since 1970. */
  from: number;
  to: number;
}

interface DeliveryRecord {
  message: number;
  agent: string;
  state: string;
  attempts: number;
  hand_outs: number;
  since: number;
  reason: string | null;
}

interface MessageRecord {
  id: number;
  from_name: string;
  kind: string;
  event: string | null;
  broadcast: number;
  body: string;
  detail: string | null;
  sent_at: number;
}

const EXAMPLES = 5;
/** Compares what the broker's database holds with what agents and operator saw. */
export function judge(evidence: Evidence): Verdict {
  const db = new Database(evidence.database, { readonly: true });
  try {
    return new Judge(db, evidence).judge();
  } finally {
    db.close();
  }
}

class Judge {
  private readonly messages: Map<number, MessageRecord>;
  private readonly deliveries: DeliveryRecord[];
  private readonly agents: Set<string>;

  constructor(
    private readonly db: Database.Database,
    private readonly evidence: Evidence,
  ) {
    const messages = db.prepare<[], MessageRecord>('SELECT * FROM messages').all();
    this.messages = new Map(messages.map((message) => [message.id, message]));
    this.deliveries = db
      .prepare<[], DeliveryRecord>(
        `SELECT d.*, a.name AS agent FROM deliveries d JOIN agents a ON a.id = d.recipient
         ORDER BY d.message`,
      )
      .all();
    this.agents = new Set(evidence.notes.keys());
  }

  judge(): Verdict {
    const { shown, did, refused } = sightingsOf(this.evidence.notes);
    const checks = [
      check('lost', [...this.lost(), ...this.missing(did), ...this.unseen(shown)]),
      check('consumed twice without the redelivered mark', unmarked(shown)),
      check('sent twice', this.sentTwice()),
      check('shown out of order', outOfOrder(shown)),
      check('broadcast recipients left out', this.leftOut()),
      check('reminders lost', this.remindersLost(did)),
      check('reminders early', this.remindersEarly(shown, did)),
      check('reminders twice', this.remindersTwice()),
      check('question outcomes twice', this.outcomesTwice()),
      check('refused', [...this.evidence.operator.refused, ...refused]),
      check('damage of threads.db', this.damage()),
    ];
    return { checks, facts: this.facts(shown, did) };
  }

  /** Deliveries to agents that ended neither acked nor dead by their turns' own failures. */
  private lost(): string[] {
    return this.deliveries
      .filter(({ state, attempts }) => {
        if (state === 'dead') return attempts < LIMITS.delivery_attempts;
        return state !== 'acked';
      })
      .map(
        ({ message, agent, state, hand_outs: handOuts, reason }) =>
          `m${message} to ${agent} is ${state} after ${handOuts} hand-outs (${reason ?? 'no reason'})`,
      );
  }

  /** Sends that were answered with an id and are not there. */
  private missing(did: readonly Done[]): string[] {
    const sends = [
      ...did
        .filter(({ note }) => note.tool === 'send')
        .map(({ agent, note }) => ({ from: agent, number: note.number, id: note.id ?? '' })),
      ...this.evidence.operator.sent.map(({ number, id }) => ({ from: 'operator', number, id })),
    ];
    const asks = did
      .filter(({ note }) => note.tool === 'ask' && !this.has('questions', note.id))
      .map(({ agent, note }) => `question ${note.id} of ${agent}`);
    return [
      ...asks,
      ...sends
        .filter(({ from, number, id }) => {
          const message = this.messages.get(numberOf(id));
          return message?.from_name !== from || contentOf(message.body).n !== number;
        })
        .map(({ from, number, id }) => `send ${number} of ${from}, answered with ${id}`),
    ];
  }

  /** Acked deliveries that the agent's program never noted as shown. */
  private unseen(shown: readonly Seen[]): string[] {
    const seen = new Set(shown.map(({ agent, note }) => `${agent} ${note.id}`));
    return this.deliveries
      .filter(({ state, agent, message }) => state === 'acked' && !seen.has(`${agent} m${message}`))
      .map(({ agent, message }) => `m${message} is acked, ${agent} never saw it`);
  }

  /** Numbers of one sender that stand in more than one message. */
  private sentTwice(): string[] {
    const first = new Map<string, number>();
    return [...this.messages.values()].flatMap((message) => {
      const { n } = contentOf(message.body);
      if (message.kind !== 'message' || n === undefined) return [];
      const key = `${message.from_name} ${n}`;
      const other = first.get(key);
      first.set(key, message.id);
      return other === undefined
        ? []
        : [`send ${n} of ${message.from_name}: m${other}, m${message.id}`];
    });
  }

  private leftOut(): string[] {
    const recipients = new Map<number, number>();
    for (const { message } of this.deliveries)
      recipients.set(message, (recipients.get(message) ?? 0) + 1);
    return [...this.messages.values()]
      .filter(({ broadcast, id }) => broadcast === 1 && recipients.get(id) !== this.agents.size - 1)
      .map(({ id }) => `m${id} reached ${recipients.get(id) ?? 0} of ${this.agents.size - 1}`);
  }

  /** Reminders that were promised and have no message. */
  private remindersLost(did: readonly Done[]): string[] {
    const delivered = new Set(this.fired().map(({ reminder }) => reminder));
    return did
      .filter(({ note }) => note.tool === 'remind' && !delivered.has(numberOf(note.id ?? '')))
      .map(({ agent, note }) => `${note.id} of ${agent}, due ${note.due_at}`);
  }

  private remindersEarly(shown: readonly Seen[], did: readonly Done[]): string[] {
    const promised = new Map(did.map(({ note }) => [note.id, Date.parse(note.due_at ?? '')]));
    const delivered = this.fired().filter(
      ({ reminder, delivered_at: at, due }) =>
        at < Math.max(due, promised.get(`r${reminder}`) ?? 0),
    );
    const seen = shown.filter(
      ({ note }) => note.reminder !== undefined && note.at < Date.parse(note.reminder.due_at),
    );
    return [
      ...delivered.map(({ reminder }) => `r${reminder} was delivered before it was due`),
      ...seen.map(({ agent, note }) => `${note.reminder?.id} was shown to ${agent} too early`),
    ];
  }

  /** One occurrence, or one reminder that comes once, with more than one message. */
  private remindersTwice(): string[] {
    const first = new Map<string, number>();
    return [...this.messages.values()].flatMap(({ id, kind, body, detail }) => {
      if (kind !== 'reminder') return [];
      const { reminder } = JSON.parse(detail ?? '{}') as { reminder?: ReminderNote };
      const owner = this.deliveries.find(({ message }) => message === id)?.agent;
      const keys = [
        `number ${contentOf(body).n} of ${owner}`,
        ...(reminder ? [`${reminder.id} occurrence ${reminder.occurrence}`] : []),
      ];
      const again = keys.find((key) => first.has(key));
      const other = again === undefined ? undefined : first.get(again);
      for (const key of keys) first.set(key, id);
      return again === undefined ? [] : [`${again}: m${other}, m${id}`];
    });
  }

  private outcomesTwice(): string[] {
    const first = new Map<string, number>();
    return [...this.messages.values()].flatMap(({ id, event, detail }) => {
      if (event !== 'question_answered') return [];
      const { question } = JSON.parse(detail ?? '{}') as { question?: { id: string } };
      if (!question) return [];
      const other = first.get(question.id);
      first.set(question.id, id);
      return other === undefined ? [] : [`${question.id}: m${other}, m${id}`];
    });
  }

  private damage(): string[] {
    const found = this.db.pragma('integrity_check') as { integrity_check: string }[];
    return found.map((row) => row.integrity_check).filter((text) => text !== 'ok');
  }

  private fired(): { reminder: number; delivered_at: number; due: number }[] {
    return this.db
      .prepare<[], { reminder: number; delivered_at: number; detail: string | null }>(
        `SELECT r.reminder, r.delivered_at, m.detail FROM reminder_messages r
         JOIN messages m ON m.id = r.message`,
      )
      .all()
      .map(({ reminder, delivered_at, detail }) => {
        const { reminder: note } = JSON.parse(detail ?? '{}') as { reminder?: ReminderNote };
        return { reminder, delivered_at, due: Date.parse(note?.due_at ?? '') || 0 };
      });
  }

  private has(table: 'questions', id: string | undefined): boolean {
    return (
      this.db.prepare(`SELECT 1 FROM ${table} WHERE id = ?`).get(numberOf(id ?? '')) !== undefined
    );
  }

  private facts(shown: readonly Seen[], did: readonly Done[]): Verdict['facts'] {
    const states = (state: string) => this.deliveries.filter((each) => each.state === state);
    const acks = states('acked')
      .map(({ since }) => since)
      .filter((at) => at >= this.evidence.from)
      .toSorted((a, b) => a - b);
    const gaps = [this.evidence.from, ...acks].map(
      (at, index) => (acks[index] ?? this.evidence.to) - at,
    );
    const late = this.fired().map(({ delivered_at: at, due }) => at - due);
    const turns = this.db.prepare<[], number>('SELECT count(*) FROM turns').pluck().get() ?? 0;
    const failed = this.db
      .prepare<[], number>(`SELECT count(*) FROM turns WHERE result_kind <> 'ok'`)
      .pluck()
      .get();
    return {
      'messages sent': this.messages.size,
      'of them by the operator': this.evidence.operator.sent.length,
      broadcasts: [...this.messages.values()].filter((each) => each.broadcast === 1).length,
      questions: did.filter(({ note }) => note.tool === 'ask').length,
      'deliveries to agents': this.deliveries.length,
      acked: states('acked').length,
      'dead by their own failures': states('dead').length,
      'shown again, marked': shown.filter(({ note }) => note.redelivered).length,
      turns: turns,
      'turns that did not end well': failed ?? 0,
      'reminders delivered': late.length,
      'reminders late p50 ms': percentile(late, 0.5) ?? null,
      'reminders late p99 ms': percentile(late, 0.99) ?? null,
      'longest stall ms': Math.max(...gaps),
    };
  }
}

function check(what: string, found: readonly string[]): Check {
  return { what, count: found.length, examples: found.slice(0, EXAMPLES) };
}

function contentOf(body: string): { n?: number } {
  try {
    return (JSON.parse(body) ?? {}) as { n?: number };
  } catch {
    return {};
  }
}
