import type { OperatorCredential } from '#libs/protocol';
import type { C0rePeer, C0reRouteName } from '#libs/requests';

/** A request after its shape and, where it is needed, the operator's credential were checked. */
export interface C0reRequest {
  peer: C0rePeer;
  /** Who asks, as operations and the audit log name them. */
  askedBy: string;
  /** The agent name of the path; empty where the path has none. */
  name: string;
  /** An instance of the route's body class, or an empty object. */
  /** The id of the path, not yet looked at; empty where the path has none. */
  id: string;
  body: object;
  query: object;
  credential: OperatorCredential;
}

export interface C0reAnswer {
  status?: number;
  body: unknown;
  /** What the audit log says came of it; `ok` when not given. */
  audit?: string;
  /** What it was about, when the path does not say. */
  target?: string;
}

export type RequestHandler = (request: C0reRequest) => C0reAnswer | Promise<C0reAnswer>;
/** One handler per request of the table; the compiler sees a missing one. */
export type RequestHandlers = Record<C0reRouteName, RequestHandler>;
