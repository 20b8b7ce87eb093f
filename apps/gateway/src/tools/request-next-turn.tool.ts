import { z } from 'zod';

import { LIMITS } from '#libs/protocol';

import { defineTool } from './tool.js';

export const requestNextTurnTool = defineTool({
  name: 'request_next_turn',
  title: 'Ask for another turn',
  description: `Ask for another turn of your own right after this one, when you have work left that should not wait for a message: a long job done in steps, for example. It takes effect only when this turn ends well. Do not use it to wait for somebody (a message wakes you anyway) or to poll. At most ${LIMITS.continuations} such turns follow each other.`,
  input: z.strictObject({}),
  output: z.looseObject({ note: z.string() }),
  annotations: {
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  },
  async run(_, context) {
    const result = await context.ask('request_next_turn', {});
    return { structured: result, text: result.note };
  },
});
