import type {
  AgentRow,
  ApprovalRow,
  HiveEvent,
  MessageRow,
  MetaInput,
  NeedsYou,
  OperationRow,
  QuestionRow,
  ReminderRow,
  StateSnapshot,
  TombstoneRow,
  TurnEvent,
  TurnRow,
} from '#libs/protocol';

/** Everything that the page knows of the hive, by id. It changes only by merging rows; the higher version wins (P38). */
export interface Rows {
  /** By agent_id. */
  agents: Record<string, AgentRow>;
  /** Versions at which agents were removed, so that a late row does not bring one back. By agent_id. */
  removed: Record<string, number>;
  messages: Record<string, MessageRow>;
  turns: Record<string, TurnRow>;
  operations: Record<string, OperationRow>;
  /** Destroyed agents whose state is kept. By agent_id. */
  tombstones: Record<string, TombstoneRow>;
  /** Versions at which tombstones went, so that a late row does not bring one back. By agent_id. */
  tombstones_gone: Record<string, number>;
  /** Every question that the page has seen, open or not: a resolved one must not be opened by a late row. */
  questions: Record<string, QuestionRow>;
  /** Every reminder that the page has seen, in any state; of the failed ones it has all. */
  reminders: Record<string, ReminderRow>;
  /** Every approval that the page has seen; of those that wait it has all. */
  approvals: Record<string, ApprovalRow>;
  /** What the deployed state is built from. */
  meta_inputs: { version: number; list: readonly MetaInput[] };
  /** What waits for the operator, as the hive lists it. */
  needs_you: NeedsYouRows;
  /** The `seq` of the snapshot that these rows began with: what was read beside it is read again when it changes. */
  since: string;
  /** Live events by turn id, in the order of their `n`. */
  turn_events: Record<string, TurnEvent[]>;
}

/** One list with one version. */
export interface NeedsYouRows {
  version: number;
  list: readonly NeedsYou[];
}

/** A snapshot says no version of the list, so any event behind it is newer. */
const OF_SNAPSHOT = -1;

export const NO_ROWS: Rows = {
  agents: {},
  removed: {},
  messages: {},
  turns: {},
  operations: {},
  tombstones: {},
  tombstones_gone: {},
  questions: {},
  reminders: {},
  approvals: {},
  meta_inputs: { version: OF_SNAPSHOT, list: [] },
  needs_you: { version: OF_SNAPSHOT, list: [] },
  since: '',
  turn_events: {},
};

/** Messages and live turn events kept in memory; the hive has the rest. */
const MOST_MESSAGES = 5000;
const MOST_TURNS = 1500;
const MOST_TURNS_WITH_EVENTS = 250;
const MOST_EVENTS_PER_TURN = 3000;
/** Questions and reminders kept in memory that wait for nothing any more. */
const MOST_ENDED = 500;

/** `row` in place of the one with its id, unless that one is newer. Returns the same object when nothing changed. */
function put<Row extends { version: number }>(
  rows: Record<string, Row>,
  id: string,
  row: Row,
): Record<string, Row> {
  const known = rows[id];
  return known && known.version >= row.version ? rows : { ...rows, [id]: row };
}

function putAll<Row extends { version: number }>(
  rows: Record<string, Row>,
  more: readonly Row[],
  id: (row: Row) => string,
): Record<string, Row> {
  const merged = { ...rows };
  for (const row of more) {
    const known = merged[id(row)];
    if (!known || known.version < row.version) merged[id(row)] = row;
  }
  return merged;
}

export function withMessages(rows: Rows, messages: readonly MessageRow[]): Rows {
  return { ...rows, messages: putAll(rows.messages, messages, (row) => row.id) };
}

export function withTurns(rows: Rows, turns: readonly TurnRow[]): Rows {
  return { ...rows, turns: putAll(rows.turns, turns, (row) => row.turn_id) };
}

export function withOperations(rows: Rows, operations: readonly OperationRow[]): Rows {
  return { ...rows, operations: putAll(rows.operations, operations, (row) => row.id) };
}

export function withQuestions(rows: Rows, questions: readonly QuestionRow[]): Rows {
  return { ...rows, questions: putAll(rows.questions, questions, (row) => row.id) };
}

export function withReminders(rows: Rows, reminders: readonly ReminderRow[]): Rows {
  return { ...rows, reminders: putAll(rows.reminders, reminders, (row) => row.id) };
}

export function withApprovals(rows: Rows, approvals: readonly ApprovalRow[]): Rows {
  return { ...rows, approvals: putAll(rows.approvals, approvals, (row) => row.id) };
}

/** Merges live events of a turn: each `n` once, in order. */
export function withTurnEvents(rows: Rows, turnId: string, events: readonly TurnEvent[]): Rows {
  const known = rows.turn_events[turnId] ?? [];
  const lastKnown = known.at(-1)?.n ?? -1;
  let merged: TurnEvent[];
  if (events.every((event, at) => event.n > (at === 0 ? lastKnown : (events[at - 1]?.n ?? -1)))) {
    merged = [...known, ...events];
  } else {
    const byN = new Map([...known, ...events].map((event) => [event.n, event]));
    merged = [...byN.values()].sort((a, b) => a.n - b.n);
  }
  return {
    ...rows,
    turn_events: { ...rows.turn_events, [turnId]: merged.slice(-MOST_EVENTS_PER_TURN) },
  };
}

/** What the page starts from. Live turn events that are already here stay. */
export function fromSnapshot(snapshot: StateSnapshot, known: Rows): Rows {
  const agents = putAll({}, snapshot.agents, (row) => row.agent_id);
  let rows: Rows = {
    ...NO_ROWS,
    agents,
    tombstones: putAll({}, snapshot.tombstones, (row) => row.agent_id),
    needs_you: { version: OF_SNAPSHOT, list: snapshot.needs_you },
    meta_inputs: { version: OF_SNAPSHOT, list: snapshot.meta_inputs },
    since: snapshot.seq,
    turn_events: known.turn_events,
  };
  rows = withMessages(rows, snapshot.messages);
  rows = withTurns(rows, snapshot.turns);
  rows = withQuestions(rows, snapshot.questions);
  rows = withReminders(rows, snapshot.reminders_failed);
  rows = withApprovals(rows, snapshot.approvals);
  return withOperations(rows, snapshot.operations);
}

/** The rows after one event. */
export function applyEvent(rows: Rows, event: HiveEvent): Rows {
  switch (event.kind) {
    case 'message_sent':
    case 'delivery_changed':
      return { ...rows, messages: put(rows.messages, event.message.id, event.message) };
    case 'agent_changed': {
      const { agent } = event;
      if ((rows.removed[agent.agent_id] ?? -1) >= agent.version) return rows;
      return { ...rows, agents: put(rows.agents, agent.agent_id, agent) };
    }
    case 'agent_removed': {
      if ((rows.agents[event.agent_id]?.version ?? -1) > event.version) return rows;
      const { [event.agent_id]: _gone, ...agents } = rows.agents;
      return { ...rows, agents, removed: { ...rows.removed, [event.agent_id]: event.version } };
    }
    case 'turn_started':
    case 'turn_ended':
      return { ...rows, turns: put(rows.turns, event.turn.turn_id, event.turn) };
    case 'turn_event':
      return withTurnEvents(rows, event.turn_id, event.events);
    case 'operation_changed':
      return { ...rows, operations: put(rows.operations, event.operation.id, event.operation) };
    case 'tombstone_added': {
      const { tombstone } = event;
      if ((rows.tombstones_gone[tombstone.agent_id] ?? -1) >= tombstone.version) return rows;
      return { ...rows, tombstones: put(rows.tombstones, tombstone.agent_id, tombstone) };
    }
    case 'tombstone_removed': {
      if ((rows.tombstones[event.agent_id]?.version ?? -1) > event.version) return rows;
      const { [event.agent_id]: _gone, ...tombstones } = rows.tombstones;
      const tombstones_gone = { ...rows.tombstones_gone, [event.agent_id]: event.version };
      return { ...rows, tombstones, tombstones_gone };
    }
    case 'question_added':
    case 'question_resolved':
      return { ...rows, questions: put(rows.questions, event.question.id, event.question) };
    case 'reminder_changed':
      return { ...rows, reminders: put(rows.reminders, event.reminder.id, event.reminder) };
    case 'approval_added':
    case 'approval_resolved':
      return { ...rows, approvals: put(rows.approvals, event.approval.id, event.approval) };
    case 'meta_inputs_changed':
      // Its version counts what the log holds: the same list may come twice.
      if (rows.meta_inputs.version > event.version) return rows;
      return { ...rows, meta_inputs: { version: event.version, list: event.meta_inputs } };
    case 'needs_you_changed': {
      if (rows.needs_you.version >= event.version) return rows;

      return { ...rows, needs_you: { version: event.version, list: event.needs_you } };
    }
    default:
      // An event kind of a newer hive: nothing that this page shows depends on it.
      return rows;
  }
}

/** The integer behind an id such as `m12`: newer rows have higher ones. */
export function idNumber(id: string): number {
  return Number(id.slice(1));
}

/** Lets the oldest rows go when a page has been open for long. */
export function bounded(rows: Rows): Rows {
  return {
    ...rows,
    messages: newest(rows.messages, MOST_MESSAGES),
    turns: newest(rows.turns, MOST_TURNS),
    turn_events: newest(rows.turn_events, MOST_TURNS_WITH_EVENTS),
    questions: withoutOldEnded(rows.questions, ({ state }) => state === 'open'),
    approvals: withoutOldEnded(rows.approvals, ({ state }) => state === 'pending'),
    reminders: withoutOldEnded(
      rows.reminders,
      ({ state }) => state === 'pending' || state === 'failed' || state === 'paused',
    ),
  };
}

function newest<Row>(rows: Record<string, Row>, most: number): Record<string, Row> {
  const ids = Object.keys(rows);
  // A tenth of slack, so that the cut is not made for each row that arrives.
  if (ids.length <= most * 1.1) return rows;
  ids.sort((a, b) => idNumber(b) - idNumber(a));
  return Object.fromEntries(ids.slice(0, most).map((id) => [id, rows[id] as Row]));
}

/** All that still wait, and the newest of the others. */
function withoutOldEnded<Row>(
  rows: Record<string, Row>,
  waits: (row: Row) => boolean,
): Record<string, Row> {
  const all = Object.entries(rows);
  if (all.length <= MOST_ENDED) return rows;
  const ended = all.filter(([, row]) => !waits(row));
  const kept = newest(Object.fromEntries(ended), MOST_ENDED);
  if (Object.keys(kept).length === ended.length) return rows;
  return Object.fromEntries(all.filter(([id, row]) => waits(row) || id in kept));
}
