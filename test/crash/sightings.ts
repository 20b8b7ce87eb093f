import type { Did, Note, Refusal, Shown } from './notes.js';

/** A refusal that only says that the turn was over. */
const ENDED = new Set(['superseded', 'unauthorized']);
/** An answer may come when the question is resolved already. */
const LATE_ANSWER = new Set(['conflict']);

/** A message that an agent's program noted as shown. */
export interface Seen {
  agent: string;
  note: Shown;
}
/** A call of an agent that was answered. */
export interface Done {
  agent: string;
  note: Did;
}
interface No {
  agent: string;
  note: Refusal;
}

/** What the agents' programs wrote down, by kind. */
export interface Sightings {
  shown: Seen[];
  did: Done[];
  /** Calls that were refused and should not have been. */
  refused: string[];
}

export function sightingsOf(notesByAgent: ReadonlyMap<string, readonly Note[]>): Sightings {
  const lines = [...notesByAgent].flatMap(([agent, its]) => its.map((note) => ({ agent, note })));
  return {
    shown: lines.filter((line): line is Seen => line.note.event === 'shown'),
    did: lines.filter((line): line is Done => line.note.event === 'did'),
    refused: refusals(lines.filter((line): line is No => line.note.event === 'refused')),
  };
}

/** Later showings of a message to the same agent that do not say so. */
export function unmarked(shown: readonly Seen[]): string[] {
  const before = new Set<string>();
  return shown.flatMap(({ agent, note }) => {
    const key = `${agent} ${note.id}`;
    const isAgain = before.has(key);
    before.add(key);
    return isAgain && !note.redelivered ? [`${note.id} to ${agent} in turn ${note.turn}`] : [];
  });
}

/** First showings that come after one that was written later, of one sender and priority (P9). */
export function outOfOrder(shown: readonly Seen[]): string[] {
  const newest = new Map<string, number>();
  return shown.flatMap(({ agent, note }) => {
    if (note.redelivered) return [];
    const key = `${agent} ${note.from} ${note.priority}`;
    const id = numberOf(note.id);
    const before = newest.get(key) ?? 0;
    newest.set(key, Math.max(before, id));
    return id < before ? [`${note.id} from ${note.from} to ${agent} came after m${before}`] : [];
  });
}

function refusals(refused: readonly No[]): string[] {
  return refused
    .filter(
      ({ note }) =>
        !ENDED.has(note.code) && !(note.tool === 'answer' && LATE_ANSWER.has(note.code)),
    )
    .map(({ agent, note }) => `${note.tool} ${note.number} of ${agent}: ${note.message}`);
}

/** Ids are a letter and a number. */
export function numberOf(id: string): number {
  return Number(id.slice(1));
}
