import { z } from 'zod';

import { LIMITS, type Delivery } from '#libs/protocol';

import { messageText, newMark } from './message-text.js';
import { messageIdInput, threadMessageOutput } from './shapes.js';
import { defineTool } from './tool.js';

export const getThreadTool = defineTool({
  name: 'get_thread',
  title: 'Read a conversation back',
  description: `Read a conversation that you are part of, oldest message first: to recall what was said before you answer, or to see whether your own message was received (each of yours lists its \`deliveries\`: queued, leased = being worked on, acked = handled, dead = given up, and why it waits).

Give the id of any of its messages. It holds only messages that you sent or received, the newest ${LIMITS.thread_messages} at most. It takes nothing from your inbox: to get new messages use \`recv\`.`,
  input: z.strictObject({ id: messageIdInput }),
  output: z.looseObject({ thread_id: z.string(), messages: z.array(threadMessageOutput) }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run(input, context) {
    const thread = await context.ask('get_thread', input);
    const mark = newMark();
    const lines = thread.messages.map(
      (message) => `${messageText(message, mark)}${deliveriesText(message.deliveries)}`,
    );
    return {
      structured: thread,
      text: [`Thread ${thread.thread_id}, ${thread.messages.length} messages:`, ...lines].join(
        '\n\n',
      ),
    };
  },
});

function deliveriesText(deliveries: Delivery[] | undefined): string {
  if (!deliveries || deliveries.length === 0) return '';
  const parts = deliveries.map(
    ({ to, state, waits_for: waitsFor, reason }) =>
      `${to} ${state}${waitsFor ? ` (${waitsFor})` : ''}${reason ? ` (${reason})` : ''}`,
  );
  return `\nyour message: ${parts.join(', ')}`;
}
