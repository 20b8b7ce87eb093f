import { DRIVEN, type AgentName } from './actions.js';
import type { SimCall } from './sim-gateway.js';

/** The answer of a call, undefined when it was refused. The caller knows its shape from the method. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function valueOf<T>(call: SimCall): T | undefined {
  return call.outcome && 'value' in call.outcome ? (call.outcome.value as T) : undefined;
}

/** The code of a refusal. */
export function codeOf(call: SimCall): string | undefined {
  return call.outcome && 'error' in call.outcome ? call.outcome.error.code : undefined;
}

/** Whether the agent has a harness. */
export function isDriven(agent: AgentName): boolean {
  return (DRIVEN as readonly string[]).includes(agent);
}

let bodies = 0;

/** A body that no other message has. */
export function newBody(): string {
  bodies += 1;
  return `body ${bodies}`;
}
