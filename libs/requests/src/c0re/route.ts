import { OperationRequest, WaitQuery } from './requests.dto.js';

/** The peers that have a socket of c0re of their own (P29). */
export const C0RE_PEERS = ['dashboard', 'gateway', 'scheduler', 'admin'] as const;
export type C0rePeer = (typeof C0RE_PEERS)[number];

/** One request of c0re's sockets. Everything that c0re answers stands in C0RE_ROUTES; nothing else is answered. */
export interface C0reRoute {
  method: 'GET' | 'POST';
  path: string;
  /** Who may send it: the route exists on these peers' sockets only. */
  peers: readonly C0rePeer[];
  /**
   * Whether the request must carry the operator's own credential, which c0re checks itself (P30). On the admin socket
   * (mode 0600) the caller is the operator by that.
   */
  operator: boolean;
  /** Whether the request must carry a token of the manager's, which c0re checks itself (P29). */
  manager?: boolean;
  /** Whether each request, refused ones too, gets a row in the audit log (PRODUCT 8.7). */
  audited: boolean;
  summary: string;
  /** What the privileged side checks, beside the shape of the request. */
  checks: readonly string[];
  /** Class of the body; null: none, or `{}`. */
  body: (new () => object) | null;
  query: (new () => object) | null;
}

export const OPERATOR_PEERS = ['dashboard', 'admin'] as const;
export const NAME = 'the name has the shape of an agent name and an agent of that name exists';
export const CREDENTIAL = "the operator's credential, of scope `api`";

export const read = { method: 'GET', operator: false, audited: false, body: null } as const;
export const verb = {
  method: 'POST',
  peers: OPERATOR_PEERS,
  operator: true,
  audited: true,
  body: OperationRequest,
  query: WaitQuery,
} as const;
