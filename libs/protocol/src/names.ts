import { quoted } from './text.js';

/** Names that PRODUCT.md reserves; none of them can be an agent's name. */
export const SPECIAL_NAMES = ['operator', 'manager', 'system', 'reminder', 'self'] as const;

/** Address of the human who runs the hive. */
export const OPERATOR = 'operator';
/** Name and address of the one agent with the manager role. */
export const MANAGER = 'manager';
/** Recipient that means every agent but the sender. */
export const BROADCAST = '*';

/** Shape of an agent's name (PRODUCT "The people and programs that use it"). */
export const AGENT_NAME = /^[a-z][a-z0-9-]{0,31}$/;
/** Shape of the label of an external wake (P33). */
export const EXTERNAL_LABEL = /^[a-z0-9-]{1,32}$/;
/** Shape of the NAME in a `secret:NAME` value (P31). */
export const SECRET_NAME = /^[A-Z][A-Z0-9_]*$/;

/**
 * Why `name` cannot be an agent's name, or undefined when it can.
 * `manager` passes only for the manager's own role.
 */
export function agentNameProblem(
  name: string,
  role: 'agent' | 'manager' = 'agent',
): string | undefined {
  if (!AGENT_NAME.test(name)) {
    return `${quoted(name, 40)} is not an agent name: it must match [a-z][a-z0-9-]{0,31} (lower-case letters, digits and dashes, at most 32 characters)`;
  }
  if (role === 'manager') {
    return name === MANAGER ? undefined : `the manager's name is "${MANAGER}", not "${name}"`;
  }
  if ((SPECIAL_NAMES as readonly string[]).includes(name)) {
    return `"${name}" is reserved: ${SPECIAL_NAMES.join(', ')} cannot be agents' names`;
  }
  return undefined;
}
