/** A question to the index. */
export interface Search {
  /** FTS5 expression over the bodies, see matchOf. */
  match: string;
  /** Only messages that this incarnation (0 the operator) sent or was sent. */
  agent?: number;
  /** Only messages below this id. */
  before?: number;
  limit: number;
}

/** What the broker tells the thread of the index. */
export type ToSearch =
  /** Messages were committed. */
  { kind: 'look' } | { kind: 'find'; call: number; search: Search } | { kind: 'close' };

/** What the thread of the index tells the broker. */
export type FromSearch =
  /** Message ids, newest first. */
  | { kind: 'found'; call: number; ids: number[] }
  | { kind: 'failed'; call: number; reason: string }
  /** The index holds nothing any more of what table `forgotten` names up to this row, whatever happens. */
  | { kind: 'forgot'; through: number };
