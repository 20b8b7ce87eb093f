import { z } from 'zod';

import { LIMITS } from '#libs/protocol';

import { defineTool } from './tool.js';

export const setStatusTool = defineTool({
  name: 'set_status',
  title: 'Set your status line',
  description: `Set the one line (at most ${LIMITS.status_chars} characters) that the operator's dashboard and other agents' \`list_agents\` show of you: what you are doing, or what you wait for. Set it when your work changes, not for each step; an empty text clears it. It wakes nobody: to tell somebody something, \`send\` it.`,
  input: z.strictObject({
    text: z.string().describe(`at most ${LIMITS.status_chars} characters; "" clears it`),
  }),
  output: z.looseObject({ status_text: z.string() }),
  annotations: {
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  },
  async run(input, context) {
    const result = await context.ask('set_status', input);
    return {
      structured: result,
      text: result.status_text === '' ? 'Your status line is cleared.' : 'Your status line is set.',
    };
  },
});
