import { z } from 'zod';

import { LIMITS, QUESTION_STATES } from '#libs/protocol';

import { questionIdInput } from './shapes.js';
import { defineTool } from './tool.js';

/** Every option, and words of one's own. */
const MOST_PARTS = LIMITS.question_options + 1;

export const answerTool = defineTool({
  name: 'answer',
  title: 'Answer a question',
  description: `Answer a question that another agent asked you: a message that names a question id ("q3") and perhaps options. Only this closes the question; a \`send\` to the asker does not. Do not use it for ordinary messages, which have no question id: \`send\` with \`in_reply_to\` answers those.

Give an option exactly as it is written, several of them as a list where the question allows it, or free words of your own, which are always allowed. When you cannot answer, say so in words. A question has one outcome: when it was answered, expired or cancelled before, this is refused, and you need do nothing more. \`get_open_threads\` shows which questions still wait for you.

Returns the question's \`id\` and its new \`state\`.`,
  input: z.strictObject({
    id: questionIdInput,
    answer: z
      .union([z.string(), z.array(z.string()).min(1).max(MOST_PARTS)], {
        error: `must be a text, or a list of 1 to ${MOST_PARTS} texts`,
      })
      .describe(
        `one option, a list of options, or free text; at most ${LIMITS.body_bytes} bytes of UTF-8 in all`,
      ),
  }),
  output: questionStateOutput(),
  annotations: {
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: false,
    openWorldHint: false,
  },
  async run(input, context) {
    const result = await context.change('answer', input);
    return { structured: result, text: `${result.id} is ${result.state}; its asker is told.` };
  },
});

export const cancelAskTool = defineTool({
  name: 'cancel_ask',
  title: 'Cancel a question of yours',
  description: `Withdraw a question that you asked and that is still open, when you no longer need the answer: you found it out, or the work is off. Whoever was asked is told that it needs no answer. Leaving dead questions open costs others their attention, so cancel them; but do not cancel one only because the answer takes long.

Only questions of your own, by the id that \`ask\` returned; \`list_my_asks\` shows them. One that was already answered or expired is refused: its outcome is, or will be, in your inbox.

Returns the question's \`id\` and its new \`state\`.`,
  input: z.strictObject({ id: questionIdInput }),
  output: questionStateOutput(),
  annotations: {
    readOnlyHint: false,
    destructiveHint: true,
    idempotentHint: true,
    openWorldHint: false,
  },
  async run(input, context) {
    const result = await context.change('cancel_ask', input);
    return { structured: result, text: `${result.id} is ${result.state}.` };
  },
});

function questionStateOutput() {
  return z.looseObject({ id: z.string(), state: z.enum(QUESTION_STATES) });
}
