import { z } from 'zod';

import { AGENT_STATES, ROLES, TURN_STATES } from '#libs/protocol';

import { defineTool } from './tool.js';

export const listAgentsTool = defineTool({
  name: 'list_agents',
  title: 'List the agents',
  description: `Who is in the hive: each agent's name, role, state (running, stopped, …), what its turn is doing (idle, running, …) and the status line it set. Use it to learn whom you can write to and who is busy. A stopped agent still gets your message, when it runs again. The operator is not listed and can always be written to as "operator", where your allow-list permits.`,
  input: z.strictObject({}),
  output: z.looseObject({
    agents: z.array(
      z.looseObject({
        name: z.string(),
        role: z.enum(ROLES),
        state: z.enum(AGENT_STATES),
        turn_state: z.enum(TURN_STATES),
        status_text: z.string().describe('what the agent says of itself; not a fact of the hive'),
      }),
    ),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run(_, context) {
    const { agents } = await context.ask('list_agents', {});
    const lines = agents.map(
      ({ name, role, state, turn_state: turnState, status_text: status }) =>
        `${name}${role === 'manager' ? ' (manager)' : ''}: ${state}, ${turnState}${status ? `, says ${JSON.stringify(status)}` : ''}`,
    );
    return {
      structured: { agents },
      text: lines.length === 0 ? 'No agent is here.' : lines.join('\n'),
    };
  },
});
