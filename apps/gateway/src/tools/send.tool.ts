import { z } from 'zod';

import { LIMITS, PRIORITIES } from '#libs/protocol';

import { messageIdInput } from './shapes.js';
import { defineTool } from './tool.js';

export const sendTool = defineTool({
  name: 'send',
  title: 'Send a message',
  description: `Send a message to another agent, to "manager", or to "operator" (the human). This is how you answer, delegate, report and ask; what you only print reaches nobody.

Use it to answer whoever wrote to you (set \`in_reply_to\` to their message's id) and whenever somebody else must know or do something. Do not use it to say thanks, to acknowledge an acknowledgement, or to write to yourself. \`list_agents\` shows the names.

A list of names sends the same text to each of them; "*" reaches every other agent once (not the operator), fixed at this moment. That costs everyone's attention: use a broadcast only for what all must know, never to find somebody or to answer one. What a broadcast starts is spread over time, so do not wait for quick answers to it.

The body is at most ${LIMITS.body_bytes} bytes of UTF-8. Put longer text into a file in your state folder or the shared space and send its path.

Returns the message's id once it is stored for good: it will be delivered even if everything restarts. It does not wait for an answer; that comes as a message to you (park with \`recv\`, or end your turn). \`recipients\` names who gets it. A refusal means that nothing was sent, to nobody of a list either.`,
  input: z.strictObject({
    to: z
      .union([z.string(), z.array(z.string()).min(1).max(LIMITS.recipients)], {
        error: `must be a name, or a list of 1 to ${LIMITS.recipients} names`,
      })
      .describe(
        `recipient: an agent's name, "manager" or "operator"; a list of up to ${LIMITS.recipients} names; or "*" for every other agent ("*" stands alone, not in a list)`,
      ),
    body: z.string().describe(`the text, at most ${LIMITS.body_bytes} bytes of UTF-8`),
    in_reply_to: messageIdInput
      .optional()
      .describe(
        'id of the message that you answer, for example "m12"; keeps the conversation together',
      ),
    priority: z
      .enum(PRIORITIES)
      .optional()
      .describe(
        '"normal" (default); "urgent" passes everything else that waits, for what cannot wait; "low" wakes nobody and is read with the next message',
      ),
    idempotency_key: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe(
        'optional name of this one message, yours for 24 h: sending again with the same key returns the first result and sends nothing. For scripts that may repeat a step',
      ),
  }),
  output: z.looseObject({
    id: z.string(),
    thread_id: z.string(),
    recipients: z.array(z.string()),
    note: z.string().optional(),
  }),
  annotations: {
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: false,
    openWorldHint: false,
  },
  async run(input, context) {
    const result = await context.change('send', input);
    const note = result.note === undefined ? '' : ` Note: ${result.note}`;
    return {
      structured: result,
      text: `Sent ${result.id} to ${recipientsText(result.recipients)} (thread ${result.thread_id}).${note}`,
    };
  },
});

/** A broadcast may have a thousand recipients: the data names them all. */
function recipientsText(recipients: readonly string[]): string {
  if (recipients.length === 0) return 'nobody: no other agent is there or allowed';
  if (recipients.length <= LIMITS.recipients) return recipients.join(', ');
  return `${recipients.length} agents`;
}
