import { z } from 'zod';

import { LIMITS, quoted } from '#libs/protocol';

import { defineTool } from './tool.js';

/** Characters of each question that the text shows; the data has it whole. */
const SHOWN_CHARS = 200;

export const listMyAsksTool = defineTool({
  name: 'list_my_asks',
  title: 'List your open questions',
  description: `The questions that you asked and that nobody has answered yet (at most ${LIMITS.questions_open}), oldest first. Use it before you ask, so as not to ask twice, and to find the id of one to withdraw with \`cancel_ask\`. Do not poll it for answers: an answer comes to you as a message by itself. What others asked you is in \`get_open_threads\`.
Returns \`asks\`: each with \`id\`, \`target\` (whom you asked), \`question\`, \`options\`, \`asked_at\` and, where it expires, \`deadline_at\`.`,
  input: z.strictObject({}),
  output: z.looseObject({
    asks: z.array(
      z.looseObject({
        id: z.string(),
        target: z.string(),
        question: z.string(),
        options: z.array(z.string()).optional(),
        asked_at: z.string(),
        deadline_at: z.string().optional(),
      }),
    ),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run(_, context) {
    const { asks } = await context.ask('list_my_asks', {});
    const lines = asks.map(({ id, target, question, asked_at: at, deadline_at: deadline }) => {
      const until = deadline === undefined ? '' : `, expires ${deadline}`;
      return `${id} to ${target}, asked ${at}${until}: ${quoted(question, SHOWN_CHARS)}`;
    });
    return {
      structured: { asks },
      text: lines.length === 0 ? 'No question of yours is open.' : lines.join('\n'),
    };
  },
});
