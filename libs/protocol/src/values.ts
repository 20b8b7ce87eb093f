/** The closed sets of values of PROTOCOL.md "Values". */
export const AGENT_STATES = [
  'stopped',
  'starting',
  'running',
  'stopping',
  'rebuilding',
  'crashed',
  'parked',
  'destroyed',
] as const;
export type AgentState = (typeof AGENT_STATES)[number];

export const TURN_STATES = [
  'idle',
  'waiting',
  'running',
  'compacting',
  'rate_limited',
  'needs_login',
  'held',
] as const;
export type TurnState = (typeof TURN_STATES)[number];

export const DELIVERY_STATES = ['queued', 'leased', 'acked', 'dead', 'cancelled'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export const OPERATION_STATES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;
export type OperationState = (typeof OPERATION_STATES)[number];

/** What only the operator decides (PRODUCT 4.6). */
export const APPROVAL_KINDS = [
  'spawn',
  'init_config',
  'apply_commit',
  'update_meta_inputs',
] as const;
export type ApprovalKind = (typeof APPROVAL_KINDS)[number];

/** `deployed` is the good end of every kind: what was asked for is so. */
export const APPROVAL_STATES = [
  'pending',
  'approved',
  'building',
  'deployed',
  'denied',
  'failed',
] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

/** What the manager is told of agents' lives and of its requests (PRODUCT 4.10). */
export const MANAGER_EVENTS = [
  'approval_resolved',
  'spawned',
  'rebuilt',
  'stopped',
  'destroyed',
  'container_crash',
  'needs_login',
  'logged_in',
  'needs_update',
  'config_ready',
] as const;
export type ManagerEvent = (typeof MANAGER_EVENTS)[number];

export const RESULT_KINDS = [
  'ok',
  'cancelled',
  'failed',
  'compacted',
  'rate_limited',
  'prompt_too_long',
  'budget',
  'timed_out',
  'auth_failed',
] as const;
export type ResultKind = (typeof RESULT_KINDS)[number];

export const WAKE_REASONS = [
  'message',
  'reminder',
  'operator',
  'continuation',
  'manual',
  'system',
] as const;
export type WakeReason = (typeof WAKE_REASONS)[number];

export const PRIORITIES = ['low', 'normal', 'urgent'] as const;
export type Priority = (typeof PRIORITIES)[number];

export const ROLES = ['agent', 'manager'] as const;
export type Role = (typeof ROLES)[number];

/** How an agent's turns are driven; `external` has no harness (PRODUCT 5.2). */
export const DRIVERS = ['claude', 'codex', 'acp', 'command', 'external'] as const;
export type Driver = (typeof DRIVERS)[number];

export const CONTAINERS = [
  'process',
  'sandbox',
  'nspawn',
  'bubblewrap',
  'nixos-container',
  'podman',
  'docker',
] as const;
export type Container = (typeof CONTAINERS)[number];

export const MESSAGE_KINDS = ['message', 'reminder', 'event', 'answer'] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** Who stands behind a message, attested by the broker from the sender's credential (PRODUCT 1.14). */
export const SENDER_KINDS = ['operator', 'manager', 'agent', 'system', 'external', 'self'] as const;
export type SenderKind = (typeof SENDER_KINDS)[number];

/** What the operator may ask of a harness; carried in the answer to its heartbeat or poll (P18). */
export const COMMAND_KINDS = ['cancel', 'compact', 'new_session', 'model', 'stop'] as const;
export type CommandKind = (typeof COMMAND_KINDS)[number];

/** States of a reminder (PROTOCOL "Values"). */
export const REMINDER_STATES = ['pending', 'delivered', 'failed', 'cancelled', 'paused'] as const;
export type ReminderState = (typeof REMINDER_STATES)[number];

/** States of a question: `open` until its one outcome. */
export const QUESTION_STATES = ['open', 'answered', 'expired', 'cancelled'] as const;
export type QuestionState = (typeof QUESTION_STATES)[number];

/**
 * Events that the broker itself delivers as messages. `question_answered` is the outcome that reaches the asker, also
 * when it expired (body `[expired]`) or the operator cancelled it (body `[cancelled]`).
 */
export const MESSAGE_EVENTS = [
  'question_asked',
  'question_answered',
  'question_cancelled',
  'restarted',
  'recipient_purged',
  ...MANAGER_EVENTS,
] as const;
export type MessageEvent = (typeof MESSAGE_EVENTS)[number];

/** Why a queued delivery is not yet a turn (PRODUCT 1.12). */
export const WAIT_REASONS = [
  'quiet_window',
  'stopped',
  'parked',
  'rate_limited',
  'needs_login',
  'budget',
  'restarting',
  'broadcast_rate',
  'held_cancelled',
  'back_off',
  'busy',
  'low_priority',
  'no_harness',
  'hive_limit',
  'unread',
  'ready',
] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];
