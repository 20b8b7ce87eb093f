import type { ReactNode } from 'react';

import type { AgentRow } from '#libs/protocol';

import { moodOf } from '../hive/mood.js';

/** An agent's state as a word with its colour; a crash or a hold says why on hover. */
export function MoodTag({ agent }: { agent: AgentRow }): ReactNode {
  const { tone, word } = moodOf(agent);
  return (
    <span className={`mood ${tone}`} title={agent.reason || undefined}>
      {word}
    </span>
  );
}
