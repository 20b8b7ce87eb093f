import { MANAGER, OPERATOR, type SenderKind } from '#libs/protocol';

import { OPERATOR_ID, SYSTEM_ID, type Agent } from '../registry/agent.js';
import type { LiveTurn } from '../turns/turn.js';

/** Who sends, attested by the broker from the credential (PRODUCT 1.14). */
export interface Sender {
  /** Incarnation, 0 the operator, -1 the hive itself. */
  id: number;
  /** The name that recipients see. */
  name: string;
  kind: SenderKind;
  /** Whom it may write to; empty: everyone. */
  allowedRecipients: readonly string[];
  /** The turn in which it is sent, when it is sent in one. */
  turn?: LiveTurn;
}

/** The operator as sender. */
export const OPERATOR_SENDER: Sender = {
  id: OPERATOR_ID,
  name: OPERATOR,
  kind: 'operator',
  allowedRecipients: [],
};

/** The hive itself as sender. */
export const SYSTEM_SENDER: Sender = {
  id: SYSTEM_ID,
  name: 'system',
  kind: 'system',
  allowedRecipients: [],
};

/** Reminders that come due, as sender. */
export const REMINDER_SENDER: Sender = { ...SYSTEM_SENDER, name: 'reminder' };

/** An agent as sender. */
export function agentSender(agent: Agent, turn: LiveTurn | undefined): Sender {
  return {
    id: agent.id,
    name: agent.name,
    kind: agent.role === MANAGER ? 'manager' : 'agent',
    allowedRecipients: agent.allowed_recipients,
    turn,
  };
}

/** A program that wakes its own agent (PRODUCT 1.15): its label, never an agent's name, and no allow-list. */
export function externalSender(agent: Agent, label: string): Sender {
  return { id: agent.id, name: `external:${label}`, kind: 'external', allowedRecipients: [] };
}
