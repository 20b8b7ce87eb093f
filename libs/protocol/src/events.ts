import type {
  AgentRow,
  ApprovalRow,
  MessageRow,
  MetaInput,
  NeedsYou,
  OperationRow,
  QuestionRow,
  ReminderRow,
  TombstoneRow,
  TurnEvent,
  TurnRow,
} from './rows.js';

/** The Redis stream of everything that just happened; its entry ids are the `seq` of P38. */
export const EVENT_STREAM = 'hive:events';
/** Entries that the stream keeps (approximately); older ones are read from the databases. */
export const EVENT_STREAM_LENGTH = 20_000;

/** Payload of each event kind; a row in an event is always the whole row. */
export interface EventPayloads {
  message_sent: { message: MessageRow };
  delivery_changed: { message: MessageRow };
  agent_changed: { agent: AgentRow };
  agent_removed: { agent_id: string; name: string; version: number };
  turn_started: { turn: TurnRow };
  turn_event: { turn_id: string; agent: string; events: TurnEvent[] };
  turn_ended: { turn: TurnRow };
  operation_changed: { operation: OperationRow };
  tombstone_added: { tombstone: TombstoneRow };
  /** It was revived or purged. */
  tombstone_removed: { agent_id: string; name: string; version: number };
  question_added: { question: QuestionRow };
  question_resolved: { question: QuestionRow };
  reminder_changed: { reminder: ReminderRow };
  /** A new one waits for the operator. */
  approval_added: { approval: ApprovalRow };
  /** Any later change of its row: approved, building, and its end. */
  approval_resolved: { approval: ApprovalRow };
  /** The whole list. */
  meta_inputs_changed: { version: number; meta_inputs: MetaInput[] };
  /** The whole list, whenever it changed (PRODUCT 7.2). */
  needs_you_changed: { version: number; needs_you: NeedsYou[] };
}
export type EventKind = keyof EventPayloads;

/** An event as it stands in the stream and on the WebSocket. */
export type HiveEvent = {
  [K in EventKind]: { seq: string; kind: K } & EventPayloads[K];
}[EventKind];
/** The same before the stream gave it its `seq`. */
export type NewHiveEvent = { [K in EventKind]: { kind: K } & EventPayloads[K] }[EventKind];

/** A parsed `seq`: `<epoch>-<n>`; a wiped stream starts a new epoch, n has no gaps within one. */
export interface EventSeq {
  epoch: number;
  n: number;
}

/** Parses `<epoch>-<n>`; undefined when it is not one. */
export function parseSeq(seq: string): EventSeq | undefined {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(seq);
  return match ? { epoch: Number(match[1]), n: Number(match[2]) } : undefined;
}

/** The `seq` text of an epoch and a number. */
export function formatSeq({ epoch, n }: EventSeq): string {
  return `${epoch}-${n}`;
}

/**
 * The one field of a stream entry: the event as JSON without its `seq`, which is the entry's id. The first entry of an
 * epoch is number 1; an empty stream ends at `0-0`.
 */
export const EVENT_FIELD = 'event';

/** The value of a stream entry's EVENT_FIELD. */
export function encodeEvent(event: NewHiveEvent): string {
  return JSON.stringify(event);
}

/** The event of a stream entry; `fields` as Redis answers them: names and values in turn. */
export function decodeEvent(seq: string, fields: readonly string[]): HiveEvent | undefined {
  const at = fields.indexOf(EVENT_FIELD);
  const value = at === -1 ? undefined : fields[at + 1];
  if (value === undefined) return undefined;
  return { seq, ...(JSON.parse(value) as NewHiveEvent) };
}
