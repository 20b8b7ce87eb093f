import type { AgentRow } from '#libs/protocol';

import { TURN_STATE_WORDS } from './words.js';

/**
 * What an agent's two states mean at a glance: `busy` works, `ready` would, `moving` changes its state, `waiting`
 * waits for somebody, `broken` crashed, `off` does not run.
 */
export type Tone = 'busy' | 'ready' | 'moving' | 'waiting' | 'broken' | 'off';

export interface Mood {
  tone: Tone;
  word: string;
}

export function moodOf(agent: AgentRow): Mood {
  switch (agent.state) {
    case 'starting':
    case 'stopping':
    case 'rebuilding':
      return { tone: 'moving', word: agent.state };
    case 'crashed':
      return { tone: 'broken', word: 'crashed' };
    case 'parked':
      return { tone: 'waiting', word: 'parked' };
    case 'stopped':
    case 'destroyed':
      return { tone: 'off', word: agent.state };
    case 'running':
      return runningMood(agent);
    default:
      return { tone: 'off', word: agent.state };
  }
}

function runningMood({ turn_state: state, driver, harness_seen_at: seen }: AgentRow): Mood {
  switch (state) {
    case 'running':
    case 'compacting':
      return { tone: 'busy', word: TURN_STATE_WORDS[state] };
    case 'rate_limited':
    case 'needs_login':
    case 'held':
      return { tone: 'waiting', word: TURN_STATE_WORDS[state] };
    case 'idle':
    case 'waiting':
      if (driver === 'external') return { tone: 'ready', word: 'external' };
      return seen === null
        ? { tone: 'moving', word: 'connecting' }
        : { tone: 'ready', word: TURN_STATE_WORDS[state] };
    default:
      return { tone: 'ready', word: state };
  }
}

/** Why an agent needs the operator, or undefined when it does not. */
export function needOf(agent: AgentRow): string | undefined {
  if (agent.state === 'crashed') return agent.reason || 'It stopped without being asked.';
  if (agent.state === 'parked') return agent.reason || 'It is parked.';
  if (agent.needs_login || agent.turn_state === 'needs_login') return 'Its CLI needs a login.';
  if (agent.turn_state === 'held') {
    return agent.reason || 'Its turn was cancelled. What it held waits for you to go on.';
  }
  return undefined;
}
