import { z } from 'zod';

import { LIMITS } from '#libs/protocol';

import { defineTool } from './tool.js';

const LONGEST_HOURS = LIMITS.question_ttl_seconds / 3600;

export const askTool = defineTool({
  name: 'ask',
  title: 'Ask a question',
  description: `Ask the operator (the human), or another agent, a question that you need answered before you can go on: a decision, a permission, a fact that only they have. The operator sees it under "needs you" with your options as buttons, where a plain message is easily read past.

Use \`send\` instead for anything that needs no answer, and for a conversation. Do not ask what you can find out or decide yourself, and never the same thing twice: \`list_my_asks\` shows what is open. At most ${LIMITS.questions_open} of yours may be open.

It never blocks: it returns the question's \`id\` at once. The outcome comes later as a message of kind "answer", once: the answer, or "[expired]" when \`ttl_seconds\` passed, or "[cancelled]". Meanwhile do other work, or end your turn: the answer wakes you. Whoever is asked may always answer in free words, whatever the options.`,
  input: z.strictObject({
    question: z
      .string()
      .describe(
        `what you want to know, with what one must know to answer it; at most ${LIMITS.body_bytes} bytes of UTF-8`,
      ),
    options: z
      .array(z.string().min(1).max(LIMITS.question_option_chars))
      .max(LIMITS.question_options)
      .optional()
      .describe(
        `answers to choose from, up to ${LIMITS.question_options} of at most ${LIMITS.question_option_chars} characters, for example ["yes", "no, wait"]`,
      ),
    multi: z
      .boolean()
      .optional()
      .describe('true: several of the options may be chosen at once (default false)'),
    ttl_seconds: z
      .int()
      .min(1)
      .max(LIMITS.question_ttl_seconds)
      .optional()
      .describe(
        `seconds after which the question expires, 1 to ${LIMITS.question_ttl_seconds} (${LONGEST_HOURS} h); without it, it stays open until answered or cancelled. Set it when you would go on without an answer`,
      ),
    to: z
      .string()
      .optional()
      .describe('who is asked: "operator" (default), "manager" or an agent\'s name; not yourself'),
  }),
  output: z.looseObject({ id: z.string(), note: z.string().optional() }),
  annotations: {
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: false,
    openWorldHint: false,
  },
  async run(input, context) {
    const result = await context.change('ask', input);
    const note = result.note === undefined ? '' : ` Note: ${result.note}`;
    return {
      structured: result,
      text: `Asked ${result.id}. Its outcome comes to you as a message; do not wait for it with nothing else to do, end your turn.${note}`,
    };
  },
});
