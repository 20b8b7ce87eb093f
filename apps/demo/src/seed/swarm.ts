import path from 'node:path';

import type { AgentConfig } from '#libs/protocol';

/** What is given of an agent's configuration; c0re fills in the rest. */
type GivenConfig = Partial<Omit<AgentConfig, 'limits'>> & {
  limits: Partial<AgentConfig['limits']>;
};

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  manager: "Takes the operator's tasks, hands them through the swarm, and reports.",
  forager: 'Looks things up and brings back what matters.',
  builder: 'Builds what was decided, and does not call it done before guard has looked.',
  guard: 'Checks what others made. It looks twice.',
};

/** A turn of a script takes seconds; one that hangs is ended after this, in seconds. */
const TURN_SECONDS = 120;

/** The demo's agents with their configurations: each turn runs `node bot.js NAME` on the Node that the hive runs on. */
export function swarm(programDir: string): { name: string; config: GivenConfig }[] {
  return Object.entries(DESCRIPTIONS).map(([name, description]) => ({
    name,
    config: {
      role: name === 'manager' ? 'manager' : 'agent',
      driver: 'command',
      command: ['node', path.join(programDir, 'bot.js'), name],
      system_prompt: `${description} A scripted agent of the demo: it uses no model.`,
      limits: { turn_seconds: TURN_SECONDS },
    },
  }));
}

/** The operator's first words to the manager. */
export const FIRST_TASK =
  'Good morning. Please prepare the release of Beacon 1.4: find out what changed, build it, have it checked, and tell me when it is ready.';
/** The same words are sent once, however often the demo is started. */
export const FIRST_TASK_KEY = 'hyperhive-demo-first-task';
