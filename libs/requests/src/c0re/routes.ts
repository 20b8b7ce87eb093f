import {
  ApprovalQuery,
  ApprovalsQuery,
  ApproveRequest,
  AuditQuery,
  ConfigDiffQuery,
  ConfigFileQuery,
  DenyRequest,
  ManagerCancelRequest,
  ManagerCommitRequest,
  ManagerInputsRequest,
  ManagerNameRequest,
  ManagerVerbRequest,
  UpdateMetaInputsRequest,
} from './approvals.dto.js';
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
const APPROVAL = 'the id is that of an approval';
const MANAGER_TOKEN =
  'the bearer token is the long-lived one of the living agent with role manager, or the broker says that it is the token of a live run of that agent';
const HOSTILE =
  'its repository is read by git as the user who owns it, without hooks, filters, remote helpers, replacements or the configuration of the machine; what comes out is unpacked by git without any power';
const managers = {
  method: 'POST',
  peers: ['gateway'],
  operator: false,
  manager: true,
  audited: true,
  query: null,
} as const;
const managerVerb = { ...managers, body: ManagerVerbRequest } as const;
const NOT_ITSELF = 'the agent is not the manager itself';

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
  list_approvals: {
    ...read,
    path: '/v1/approvals',
    peers: OPERATOR_PEERS,
    summary: 'Approvals, newest first',
    checks: [],
    query: ApprovalsQuery,
  },
  get_approval: {
    ...read,
    path: '/v1/approvals/:id',
    peers: OPERATOR_PEERS,
    summary:
      'One approval with the diff of its pinned tree against what runs, what was approved last, what was queued before it, or nothing',
    checks: [APPROVAL, 'the diff is made from the applied repository, at most 200,000 characters'],
    query: ApprovalQuery,
  },
  approve: {
    method: 'POST',
    path: '/v1/approvals/:id/approve',
    peers: OPERATOR_PEERS,
    operator: true,
    audited: true,
    summary: 'Approve exactly the commit that was shown; its deploy follows as an operation',
    checks: [CREDENTIAL, APPROVAL, 'it is pending', '`sha` is the commit that was pinned'],
    body: ApproveRequest,
    query: WaitQuery,
  },
  deny: {
    method: 'POST',
    path: '/v1/approvals/:id/deny',
    peers: OPERATOR_PEERS,
    operator: true,
    audited: true,
    summary: 'Deny it; the manager is told the reason',
    checks: [CREDENTIAL, APPROVAL, 'it is pending'],
    body: DenyRequest,
    query: null,
  },
  config_history: {
    ...read,
    path: '/v1/agents/:name/config',
    peers: OPERATOR_PEERS,
    summary: "The agent's configuration in force and every commit that was ever submitted",
    checks: [NAME],
    query: null,
  },
  config_file: {
    ...read,
    path: '/v1/agents/:name/config/file',
    peers: OPERATOR_PEERS,
    summary: 'One file of a config tree, and the names of all',
    checks: [NAME, 'the tree stands in the applied repository; nothing is read from a folder'],
    query: ConfigFileQuery,
  },
  config_diff: {
    ...read,
    path: '/v1/agents/:name/config/diff',
    peers: OPERATOR_PEERS,
    summary: 'The diff between two trees of an agent',
    checks: [NAME, 'both trees stand in the applied repository'],
    query: ConfigDiffQuery,
  },
  list_meta_inputs: {
    ...read,
    path: '/v1/meta-inputs',
    peers: OPERATOR_PEERS,
    summary: 'The inputs of the deployed state of the swarm, and its log of deploys',
    checks: [],
    query: null,
  },
  update_meta_inputs: {
    method: 'POST',
    path: '/v1/meta-inputs',
    peers: OPERATOR_PEERS,
    operator: true,
    audited: true,
    summary: 'Update inputs of the deployed state',
    checks: [CREDENTIAL, 'each input exists'],
    body: UpdateMetaInputsRequest,
    query: null,
  },
  list_audit: {
    ...read,
    path: '/v1/audit',
    peers: OPERATOR_PEERS,
    operator: true,
    summary: 'The audit log, newest first',
    checks: [CREDENTIAL],
    query: AuditQuery,
  },
  request_init_config: {
    ...managers,
    path: '/v1/manager/init-config',
    summary: 'Ask for a config repository of an agent that does not exist yet',
    checks: [
      MANAGER_TOKEN,
      'the name is an agent name, not reserved, not in use, and no files lie under it',
      'at most 100 requests wait',
    ],
    body: ManagerNameRequest,
  },
  request_spawn: {
    ...managers,
    path: '/v1/manager/spawn',
    summary: 'Ask for a new agent, from its config repository where there is one',
    checks: [
      MANAGER_TOKEN,
      'the name is an agent name, not reserved and not in use',
      'the newest commit of its config repository is pinned and checked as by request_apply_commit',
      HOSTILE,
      'at most 100 requests wait',
    ],
    body: ManagerNameRequest,
  },
  request_apply_commit: {
    ...managers,
    path: '/v1/manager/apply-commit',
    summary: 'Ask for the deploy of a commit, which is pinned now',
    checks: [
      MANAGER_TOKEN,
      NAME,
      HOSTILE,
      'only plain files and folders, none named `.git`, at most 1,000 files of 1 MiB and 8 MiB together; at most 32 MiB are fetched',
      'every key of agent.yaml of that tree; the role is that of the agent',
      'at most 100 requests wait',
    ],
    body: ManagerCommitRequest,
  },
  request_update_meta_inputs: {
    ...managers,
    path: '/v1/manager/meta-inputs',
    summary: 'Ask for an update of inputs of the deployed state',
    checks: [MANAGER_TOKEN, 'each input exists', 'at most 100 requests wait'],
    body: ManagerInputsRequest,
  },
  manager_start: {
    ...managerVerb,
    path: '/v1/manager/agents/:name/start',
    summary: 'Start an agent',
    checks: [MANAGER_TOKEN, NAME, NOT_ITSELF],
  },
  manager_stop: {
    ...managerVerb,
    path: '/v1/manager/agents/:name/stop',
    summary: 'Stop an agent',
    checks: [MANAGER_TOKEN, NAME, NOT_ITSELF],
  },
  manager_restart: {
    ...managerVerb,
    path: '/v1/manager/agents/:name/restart',
    summary: 'Stop and start an agent',
    checks: [MANAGER_TOKEN, NAME, NOT_ITSELF],
  },
  manager_rebuild: {
    ...managerVerb,
    path: '/v1/manager/agents/:name/rebuild',
    summary: 'Make the container of an agent anew from what is deployed',
    checks: [MANAGER_TOKEN, NAME, NOT_ITSELF],
  },
  manager_restart_all: {
    ...managerVerb,
    path: '/v1/manager/restart-all',
    summary: 'Restart every agent that runs, the manager first',
    checks: [MANAGER_TOKEN],
  },
  manager_cancels: {
    ...managers,
    path: '/v1/manager/cancels',
    summary:
      'Write into the audit log that the manager cancels a question or reminder, before the broker does it',
    checks: [MANAGER_TOKEN],
    body: ManagerCancelRequest,
  },
  manager_read_journal: {
    ...managers,
    method: 'GET',
    path: '/v1/manager/agents/:name/journal',
    summary: "The last lines of an agent's log",
    checks: [MANAGER_TOKEN, NAME, 'as read_journal'],
    body: null,
    query: JournalQuery,
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
