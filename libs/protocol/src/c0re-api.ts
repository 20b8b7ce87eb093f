import type {
  AgentRow,
  ApprovalRow,
  AuditRow,
  ConfigHistoryEntry,
  DiffBase,
  MessageRow,
  MetaInput,
  MetaLogEntry,
  NeedsYou,
  OperationRow,
  QuestionRow,
  ReminderRow,
  TombstoneRow,
  TurnRow,
} from './rows.js';
import type { AgentState, Container, Driver, Role } from './values.js';

/**
 * c0re's sockets: HTTP/1.1 with JSON bodies on one unix socket per peer (P29), so that `curl --unix-socket` can show
 * every call. The table itself (who may send what, what is checked) stands in libs/requests.
 */

/** `agent.yaml` after validation, with every default filled in (INTERFACES "Agent configuration"). */
export interface AgentConfig {
  role: Role;
  driver: Driver;
  command: string[];
  model: string | null;
  system_prompt: string;
  env: Record<string, string>;
  mcp_servers: Record<string, McpServerConfig>;
  allowed_tools: string[];
  allowed_recipients: string[];
  container: Container | null;
  network: 'none' | 'model' | 'full' | null;
  network_allow: string[];
  quiet_window_ms: number;
  auto_compact: { watermark: number };
  limits: AgentLimits;
}
export type McpServerConfig =
  | { command: string; args?: string[]; env?: Record<string, string> }
  | { url: string; headers?: Record<string, string> };
export interface AgentLimits {
  /** Bytes as text: `2G`, `512M`. */
  memory: string;
  cpu: number;
  pids: number;
  turn_seconds: number;
  reminders_pending: number;
  reminders_per_hour: number;
  reminder_burst: number;
  sends_per_minute: number;
  send_burst: number;
  inbox: number;
  usd_per_turn: number | null;
  usd_per_day: number | null;
  tokens_per_day: number | null;
}

/** What c0re knows of an agent beside the broker's row. */
export interface AgentRecord {
  agent_id: string;
  name: string;
  role: Role;
  driver: Driver;
  model: string | null;
  container: Container | null;
  state: AgentState;
  reason: string;
  instance: number;
  deployed_sha: string | null;
  created_at: string;
  /** Process id of the harness while it runs. */
  pid: number | null;
  config: AgentConfig;
}

/** A fresh operator session: the cookie opens the page, the page secret the API (P30). */
export interface OperatorSession {
  cookie: string;
  page_secret: string;
  expires_at: string;
}
export interface LoginLink {
  token: string;
  expires_at: string;
}

/** The credential of the operator as a request carries it to c0re; c0re checks it itself (P30). */
export interface OperatorCredential {
  /** The long-lived operator token of scripts. */
  bearer?: string;
  /** The page secret of a session, with the cookie of the same session. */
  page_secret?: string;
  cookie?: string;
}
/** Headers that carry the operator's credential on c0re's sockets. */
export const OPERATOR_HEADERS = {
  bearer: 'authorization',
  page_secret: 'x-hive-session',
  cookie: 'x-hive-cookie',
} as const;

/** `POST /v1/agents`: exactly one of `config` (the keys of agent.yaml as an object) and `yaml` (its text). */
export interface SpawnBody {
  name: string;
  config?: Record<string, unknown>;
  /** The text of agent.yaml; keeps comments, and problems name its lines. */
  yaml?: string;
  /** Further text files of the config tree by their path in it, for example a `command` agent's program. */
  files?: Record<string, string>;
  reason?: string;
}
/** Body of `POST /v1/agents/:name/{start,stop,restart,destroy}`. */
export interface OperationBody {
  reason?: string;
}

/** Body of `POST /v1/agents/:name/revive`. */
export interface ReviveBody extends OperationBody {
  /** Which of several destroyed agents of that name; default: the one that was destroyed last. */
  agent_id?: string;
}
/** Body of `POST /v1/agents/:name/purge`. */
export interface PurgeBody extends ReviveBody {
  /** The agent's name once more: what is purged is gone for good. */
  confirm: string;
}

/** Body of `POST /v1/approvals/:id/approve`: exactly the commit that was shown; null where none belongs to it. */
export interface ApproveBody {
  sha: string | null;
}

/** A file of an agent's state folder or of the shared space (PRODUCT 8.2). */
export interface StateFileAnswer {
  agent: string;
  path: string;
  bytes: number;
  modified_at: string;
  /** Its text; null when it is not UTF-8. */
  text: string | null;
  /** Its bytes as base64 when it is not UTF-8. */
  base64: string | null;
}

/** What lies in a folder there. */
export interface StateFolderAnswer {
  agent: string;
  path: string;
  entries: {
    name: string;
    kind: 'file' | 'folder' | 'other';
    bytes: number;
    modified_at: string;
    /** Whether it can be read here: a plain file that everybody may read, not too large. */
    readable: boolean;
  }[];
  /** Set when there are more. */
  truncated?: true;
}

/** A diff between two trees as text for people. */
export interface ConfigDiff {
  /** Null: the empty tree. */
  from: string | null;
  to: string | null;
  diff: string;
  /** Set when the diff is longer than what is given. */
  truncated?: true;
}

/** The manager's requests on c0re-gateway.sock (INTERFACES "Manager surface"). `request_id` makes each repeatable. */
export interface ManagerRequestBody {
  request_id: string;
  description?: string;
}

/** What a credential opens: `page` only the page (the cookie alone), `api` everything (P30). */
export interface SessionCheck {
  scope: 'page' | 'api';
  kind: 'session' | 'token';
}

/** `GET /v1/health` of c0re. The gateway's and the scheduler's socket answer `ok` and `service` only. */
export interface C0reHealth {
  ok: true;
  service: 'c0re';
  hive_rev?: string;
  /** The container driver that new agents get. */
  container_driver?: Container;
  /** Whether the broker has the newest registry. */
  broker_in_step?: boolean;
  /** Protections that are off on this machine, one sentence each; empty when all are on (P29). */
  protections_off?: string[];
}

/** What the self-check found (PRODUCT 8.6). */
export interface SelfCheck {
  checked_at: string;
  problems: { check: 'container' | 'turn' | 'operation'; message: string }[];
}

/** What a trial of a container driver on this machine showed; `GET /v1/container-drivers`. */
export interface DriverTrial {
  name: Container;
  /** Whether it is the one that this hive uses. */
  in_use: boolean;
  /** Why it does not work here; null when it does. */
  obstacle: string | null;
}

export interface C0reAnswers {
  health: C0reHealth;
  drivers: { drivers: DriverTrial[] };
  session_check: SessionCheck;
  stopped: { stopped: number };
  agent: { agent: AgentRecord };
  agents: { agents: AgentRecord[] };
  operation: { operation: OperationRow };
  operations: { operations: OperationRow[]; next?: string };
  tombstones: { tombstones: TombstoneRow[] };
  self_check: SelfCheck;
  state_file: StateFileAnswer;
  /** For the scheduler: operations that wait, with their steps. */
  waiting_operations: { version: string; operations: { id: string; steps: string[] }[] };
  run_operation: { id: string; state: OperationRow['state'] };
  state_folder: StateFolderAnswer;
  session: OperatorSession;
  login_link: LoginLink;
  journal: { agent: string; lines: string[] };
  approval: { approval: ApprovalRow };
  approvals: { approvals: ApprovalRow[]; next?: string };
  /** Of `GET /v1/approvals/:id`: with the diff against the base that was asked for. */
  approval_detail: { approval: ApprovalRow; base: DiffBase; diff: ConfigDiff };
  config_history: {
    agent: string;
    deployed_sha: string | null;
    config: AgentConfig;
    history: ConfigHistoryEntry[];
  };
  config_file: { agent: string; sha: string; path: string; text: string; files: string[] };
  config_diff: ConfigDiff;
  meta_inputs: { meta_inputs: MetaInput[]; log: MetaLogEntry[] };
  audit: { audit: AuditRow[]; next?: string };
  /** What a request of the manager's became, with a note when one like it waits already. */
  requested: { id: string; state: ApprovalRow['state']; sha?: string; note?: string };
}

/** `run/hive.json`: exists exactly while the hive is up and ready; no token in it (INTERFACES "State folder"). */
export interface HiveFile {
  ready_at: string;
  hive_rev: string;
  dashboard_url: string;
  gateway_url: string;
  redis_url: string;
  services: {
    name: string;
    /** Of the process that works, or worked last while the service is `restarting`. */
    pid: number;
    started_at: string;
    state: 'running' | 'restarting';
    /** How often it was started again since the hive is up. */
    restarts: number;
  }[];
  sockets: Record<string, string>;
  /** Process that supervises; the file is stale when it is gone. */
  supervisor_pid: number;
}

/** `/api/state`: one snapshot that the page starts from. */
export interface StateSnapshot {
  seq: string;
  agents: AgentRow[];
  operations: OperationRow[];
  tombstones: TombstoneRow[];
  /** The newest messages with their deliveries; older ones come from `/api/messages`. */
  messages: MessageRow[];
  /** The newest turns; older ones come from `/api/agents/:name/turns`. */
  turns: TurnRow[];
  /** Open ones, and those that were resolved last. */
  questions: QuestionRow[];
  reminders_failed: ReminderRow[];
  needs_you: NeedsYou[];
  /** Those that wait, and the newest others. */
  approvals: ApprovalRow[];
  meta_inputs: MetaInput[];
}
