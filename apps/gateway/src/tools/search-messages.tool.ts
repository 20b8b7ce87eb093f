import { z } from 'zod';

import { LIMITS } from '#libs/protocol';

import { messageText, newMark } from './message-text.js';
import { messageOutput } from './shapes.js';
import { defineTool } from './tool.js';

/** Hits when the caller names no limit. */
const DEFAULT_HITS = 20;

export const searchMessagesTool = defineTool({
  name: 'search_messages',
  title: 'Search your messages',
  description: `Find messages that you sent or received by the words in them, newest first: what was agreed, who mentioned something, an id that you no longer have. It finds messages that hold all the words of \`query\`, in any order; fewer words find more. It knows no others' conversations, no files, and takes nothing from your inbox.
Use \`get_thread\` with an id of a hit to read what was said around it; use \`recv\` for new messages. Returns \`messages\`, at most \`limit\` (default ${DEFAULT_HITS}); none when nothing fits.`,
  input: z.strictObject({
    query: z
      .string()
      .min(1)
      .max(LIMITS.search_query_chars)
      .describe(
        `words to look for, at most ${LIMITS.search_query_chars} characters, for example "beacon release"`,
      ),
    limit: z
      .int()
      .min(1)
      .max(LIMITS.search_results)
      .optional()
      .describe(`most messages wanted, 1 to ${LIMITS.search_results} (default ${DEFAULT_HITS})`),
  }),
  output: z.looseObject({ messages: z.array(messageOutput) }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run({ query, limit = DEFAULT_HITS }, context) {
    const { messages } = await context.ask('search_messages', { query, limit });
    const mark = newMark();
    return {
      structured: { messages },
      text:
        messages.length === 0
          ? 'No message of yours holds all these words; try fewer.'
          : messages.map((message) => messageText(message, mark)).join('\n\n'),
    };
  },
});
