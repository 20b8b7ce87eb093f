import { z } from 'zod';

import { LIMITS, type Message } from '#libs/protocol';

import { hintsOf, messageText, newMark, pendingText } from './message-text.js';
import { messageOutput, waitSecondsInput } from './shapes.js';
import { defineTool } from './tool.js';

const HANDLED = `A message that you received is yours: you need not confirm it. It counts as handled when your turn ends well, and comes back marked "redelivered" when the turn fails. (For scripts: that an answer was written to your connection does not prove that you read it; \`ack\` says so exactly.)`;

const hintOutput = z
  .string()
  .optional()
  .describe('what to know before you act: redelivered, perhaps a repeat, a broadcast');

export const recvTool = defineTool({
  name: 'recv',
  title: 'Receive one message',
  description: `Take the next message that waits for you, or wait for one. Your wake prompt already holds the message that started this turn; \`recv\` gives what else has come.

Use it with \`wait_seconds\` to park until an answer arrives: it costs nothing and returns the moment something comes. Use \`recv_batch\` instead when several wait. Do not call it in a loop without waiting, and do not wait when you have nothing to wait for: end your turn, and a new message starts the next one.

Returns \`message\` (null when none came) and \`pending\`, how many more wait. ${HANDLED}`,
  input: z.strictObject({ wait_seconds: waitSecondsInput }),
  output: z.looseObject({
    message: messageOutput.nullable(),
    pending: z.int().describe('how many more wait'),
    hint: hintOutput,
  }),
  annotations: {
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: false,
    openWorldHint: false,
  },
  async run({ wait_seconds: waitSeconds = 0 }, context) {
    const { messages, pending } = await context.receive(1, waitSeconds);
    return {
      structured: { message: messages[0] ?? null, pending, ...hint(messages) },
      text: textOf(messages, pending, waitSeconds),
    };
  },
});

export const recvBatchTool = defineTool({
  name: 'recv_batch',
  title: 'Receive several messages',
  description: `Take up to \`max\` waiting messages in one call, urgent ones first, then oldest first. Use it when the prompt or a result says that more wait, before you act on the first one: a later message may change what is asked. Use \`recv\` to wait for a single answer.

Returns \`messages\` (empty when none came within \`wait_seconds\`) and \`pending\`, how many still wait. ${HANDLED}`,
  input: z.strictObject({
    max: z
      .int()
      .min(1)
      .max(LIMITS.recv_batch)
      .describe(`most messages to take, 1 to ${LIMITS.recv_batch}`),
    wait_seconds: waitSecondsInput,
  }),
  output: z.looseObject({
    messages: z.array(messageOutput),
    pending: z.int().describe('how many more wait'),
    hint: hintOutput,
  }),
  annotations: {
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: false,
    openWorldHint: false,
  },
  async run({ max, wait_seconds: waitSeconds = 0 }, context) {
    const { messages, pending } = await context.receive(max, waitSeconds);
    return {
      structured: { messages, pending, ...hint(messages) },
      text: textOf(messages, pending, waitSeconds),
    };
  },
});

function hint(messages: Message[]): { hint?: string } {
  const text = hintsOf(messages);
  return text === '' ? {} : { hint: text };
}

function textOf(messages: Message[], pending: number, waitSeconds: number): string {
  if (messages.length === 0) {
    const within = waitSeconds > 0 ? ` within ${waitSeconds} s` : '';
    const more = pending > 0 ? ` ${pending} wait but may not be handed out yet.` : '';
    return `No message came${within}.${more}`;
  }
  const mark = newMark();
  const parts = [
    ...messages.map((message) => messageText(message, mark)),
    hintsOf(messages),
    pendingText(pending),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}
