import {
  JournalQuery,
  LoginRequest,
  OperationRequest,
  OperationsQuery,
  SpawnRequest,
  WaitQuery,
} from './requests.dto.js';

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
  /** Whether each request, refused ones too, gets a row in the audit log (PRODUCT 8.7). */
  audited: boolean;
  summary: string;
  /** What the privileged side checks, beside the shape of the request. */
  checks: readonly string[];
  /** Class of the body; null: none, or `{}`. */
  body: (new () => object) | null;
  query: (new () => object) | null;
}

const OPERATOR_PEERS = ['dashboard', 'admin'] as const;
const NAME = 'the name has the shape of an agent name and an agent of that name exists';
const CREDENTIAL = "the operator's credential, of scope `api`";

const read = { method: 'GET', operator: false, audited: false, body: null } as const;
const verb = {
  method: 'POST',
  peers: OPERATOR_PEERS,
  operator: true,
  audited: true,
  body: OperationRequest,
  query: WaitQuery,
} as const;

/** The whole privileged surface by the requests' names; docs/privileged-surface.md is generated from it. */
export const C0RE_ROUTES = {
  health: {
    ...read,
    path: '/v1/health',
    peers: C0RE_PEERS,
    summary:
      'Whether c0re is up; on the dashboard and admin sockets also which protections are off',
    checks: [],
    query: null,
  },
  try_drivers: {
    ...read,
    path: '/v1/container-drivers',
    peers: OPERATOR_PEERS,
    operator: true,
    summary: 'Run a trial container of every driver: which work on this machine, and why not',
    checks: [CREDENTIAL],
    query: null,
  },
  login: {
    method: 'POST',
    path: '/v1/login',
    peers: OPERATOR_PEERS,
    operator: false,
    audited: true,
    summary: 'Exchange a one-time login token for an operator session',
    checks: ['the token was issued by c0re, is at most 10 minutes old and was never used'],
    body: LoginRequest,
    query: null,
  },
  check_session: {
    method: 'POST',
    path: '/v1/sessions/check',
    peers: OPERATOR_PEERS,
    operator: false,
    audited: false,
    summary: 'Say what the credential in the headers opens: the page, or everything',
    checks: [
      'the bearer is the operator token; or the cookie is of a session used within 12 hours, and the page secret is of that same session',
      'every credential that is given must be right',
    ],
    body: null,
    query: null,
  },
  logout: {
    method: 'POST',
    path: '/v1/logout',
    peers: OPERATOR_PEERS,
    operator: false,
    audited: true,
    summary: "End the session of the headers' cookie",
    checks: ['the cookie is of a live session'],
    body: null,
    query: null,
  },
  create_login_link: {
    method: 'POST',
    path: '/v1/login-links',
    peers: OPERATOR_PEERS,
    operator: true,
    audited: true,
    summary: 'Make a one-time login token, good for 10 minutes',
    checks: [CREDENTIAL],
    body: null,
    query: null,
  },
  list_agents: {
    ...read,
    path: '/v1/agents',
    peers: OPERATOR_PEERS,
    summary: 'All agents that are not destroyed, with their configuration',
    checks: [],
    query: null,
  },
  get_agent: {
    ...read,
    path: '/v1/agents/:name',
    peers: OPERATOR_PEERS,
    summary: 'One agent',
    checks: [NAME],
    query: null,
  },
  read_journal: {
    ...read,
    path: '/v1/agents/:name/journal',
    peers: OPERATOR_PEERS,
    summary: "The last lines of the agent's log",
    checks: [
      NAME,
      'only the log that c0re itself opened for that agent is read, without following a link; at most 500 lines and 256 KiB, control characters removed',
    ],
    query: JournalQuery,
  },
  list_operations: {
    ...read,
    path: '/v1/operations',
    peers: OPERATOR_PEERS,
    summary: 'Operations, newest first',
    checks: [],
    query: OperationsQuery,
  },
  spawn: {
    ...verb,
    path: '/v1/agents',
    summary: 'Make an agent: folders, token, repositories, container, running harness',
    checks: [
      CREDENTIAL,
      'the name is an agent name, not reserved and not in use',
      'every key of agent.yaml; all problems are listed and nothing is stored when there is one',
      'each `secret:NAME` exists in the folder of that agent below `secrets/agents/`',
      'paths in `files` are relative, plain and not `.git`',
    ],
    body: SpawnRequest,
  },
  start: {
    ...verb,
    path: '/v1/agents/:name/start',
    summary: 'Start the agent; nothing happens when it runs',
    checks: [CREDENTIAL, NAME],
  },
  stop: {
    ...verb,
    path: '/v1/agents/:name/stop',
    summary: 'End every process of the agent; never waits behind operations of other agents',
    checks: [CREDENTIAL, NAME],
  },
  restart: {
    ...verb,
    path: '/v1/agents/:name/restart',
    summary: 'Stop and start the agent',
    checks: [CREDENTIAL, NAME],
  },
  destroy: {
    ...verb,
    path: '/v1/agents/:name/destroy',
    summary: 'End the agent for good; its state folder is kept, its token is dead',
    checks: [CREDENTIAL, NAME, 'done only when the broker has ended the incarnation'],
  },
  stop_all: {
    method: 'POST',
    path: '/v1/agents/stop-all',
    peers: ['admin'],
    operator: true,
    audited: true,
    summary:
      'End every harness but keep what should run for the next start; answers when all are gone',
    checks: [],
    body: null,
    query: null,
  },
} as const satisfies Record<string, C0reRoute>;

export type C0reRouteName = keyof typeof C0RE_ROUTES;
