import type { AgentRow } from '#libs/protocol';

const COMMON_WINDOW = 200_000;
const LARGE_WINDOW = 1_000_000;

/** Tokens that the model's context window holds, as far as its name and its use tell. */
export function contextWindow({ model, context_tokens: used }: AgentRow): number {
  return model?.includes('[1m]') || (used ?? 0) > COMMON_WINDOW ? LARGE_WINDOW : COMMON_WINDOW;
}

/** How much of the context window is taken: 0 to 1. */
export function contextShare(agent: AgentRow): number {
  return (agent.context_tokens ?? 0) / contextWindow(agent);
}
