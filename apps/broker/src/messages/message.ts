import {
  formatId,
  isoTime,
  type Message,
  type MessageKind,
  type Priority,
  type SenderKind,
} from '#libs/protocol';

/** A row of `messages`. */
export interface MessageRecord {
  id: number;
  /** Root of its thread; null when it is the root itself. */
  thread: number | null;
  in_reply_to: number | null;
  /** Incarnation of the sender, 0 the operator, -1 the hive itself. */
  from_agent: number;
  from_name: string;
  from_kind: SenderKind;
  to_names: string;
  kind: MessageKind;
  event: string | null;
  priority: Priority;
  broadcast: number;
  hop: number;
  may_repeat: number;
  cause_turn: number | null;
  cause_message: number | null;
  sent_at: number;
  body: string;
  /** JSON of MessageDetail; null for most. */
  detail: string | null;
}

/** What a message carries beside its body. */
export type MessageDetail = Pick<Message, 'question' | 'reminder'>;

export type NewMessage = Omit<MessageRecord, 'id'>;

/** Order in which priorities are handed out. */
export const PRIORITY_RANK = { urgent: 0, normal: 1, low: 2 } as const satisfies Record<
  Priority,
  number
>;
const PRIORITY_OF_RANK: readonly Priority[] = ['urgent', 'normal', 'low'];

/** The priority of a rank as it stands in a delivery's row. */
export function priorityOf(rank: number): Priority {
  return PRIORITY_OF_RANK[rank] ?? 'normal';
}

/** The names in `to_names`: one name, or a JSON array of them. */
export function namesIn(names: string): string[] {
  return names.startsWith('[') ? (JSON.parse(names) as string[]) : [names];
}

/** Names as `to_names` keeps them. */
export function toNames(names: readonly string[]): string {
  const [first = '', ...others] = names;
  return others.length === 0 ? first : JSON.stringify(names);
}

/** Root of the thread that a message belongs to. */
export function threadOf(message: { id: number; thread: number | null }): number {
  return message.thread ?? message.id;
}

/** How one delivery of it stands, as far as the message on the wire tells. */
export interface DeliveryView {
  to: string;
  priority: number;
  redelivered: boolean;
  attempts: number;
}

/** The message as its recipient sees it. */
export function toMessage(record: MessageRecord, view: DeliveryView, now: number): Message {
  const message: Message = {
    id: formatId('m', record.id),
    thread_id: formatId('m', threadOf(record)),
    from: record.from_name,
    from_kind: record.from_kind,
    to: view.to,
    body: record.body,
    sent_at: isoTime(record.sent_at),
    age_seconds: Math.max(0, Math.floor((now - record.sent_at) / 1000)),
    priority: priorityOf(view.priority),
    broadcast: record.broadcast === 1,
    redelivered: view.redelivered,
    attempt: view.attempts + 1,
    hop: record.hop,
    kind: record.kind,
  };
  if (record.in_reply_to !== null) message.in_reply_to = formatId('m', record.in_reply_to);
  if (record.event !== null) message.event = record.event;
  if (record.may_repeat === 1) message.may_repeat = true;
  if (record.detail !== null) Object.assign(message, JSON.parse(record.detail) as MessageDetail);
  return message;
}
