import { z } from 'zod';

import { DELIVERY_STATES, quoted, type OpenThread } from '#libs/protocol';

import { ageText } from './message-text.js';
import { defineTool } from './tool.js';

/** Characters of each row's foreign text that the text shows. */
const SHOWN_CHARS = 160;
const age = z.number().describe('seconds since it began');

const openThread: z.ZodType<OpenThread> = z.discriminatedUnion('kind', [
  z.looseObject({
    kind: z.literal('question'),
    id: z.string(),
    asker: z.string(),
    target: z.string().nullable().describe('who must answer; null: the operator'),
    question: z.string(),
    options: z.array(z.string()),
    multi: z.boolean(),
    deadline_at: z.string().optional(),
    age_seconds: age,
  }),
  z.looseObject({
    kind: z.literal('reminder'),
    id: z.string(),
    owner: z.string(),
    message: z.string(),
    due_at: z.string(),
    age_seconds: age,
  }),
  z.looseObject({
    kind: z.literal('message'),
    id: z.string(),
    from: z.string(),
    to: z.string(),
    state: z.enum(DELIVERY_STATES),
    thread_id: z.string(),
    body: z.string().describe('the beginning of its text'),
    age_seconds: age,
  }),
  z.looseObject({
    kind: z.literal('approval'),
    id: z.string(),
    agent: z.string(),
    commit_ref: z.string(),
    description: z.string(),
    age_seconds: age,
  }),
]);

export const getOpenThreadsTool = defineTool({
  name: 'get_open_threads',
  title: 'List what is open',
  description: `Everything that is unfinished around you, oldest first: questions that you asked or must answer, your reminders that are to come, and messages to you that are not yet handled. Use it when you start over, lost the thread, or before you report that all is done. It takes nothing from your inbox: read messages with \`recv_batch\`, answer questions with \`answer\`.
The manager may ask for \`scope: "hive"\`: everything pending in the whole swarm, to see who is stuck and for how long. Others are refused that.
Returns \`threads\`: each with \`kind\` (question, reminder, message or approval), \`id\`, \`age_seconds\` and what belongs to its kind.`,
  input: z.strictObject({
    scope: z
      .enum(['mine', 'hive'])
      .optional()
      .describe('"mine" (default): what concerns you; "hive": everything, for the manager only'),
  }),
  output: z.looseObject({
    threads: z.array(openThread),
    truncated: z.literal(true).optional().describe('set when there is more than the list holds'),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run(input, context) {
    const result = await context.ask('get_open_threads', input);
    const lines = result.threads.map(lineOf);
    if (lines.length === 0) lines.push('Nothing is open.');
    if (result.truncated) lines.push('There is more; these are the oldest.');
    return { structured: result, text: lines.join('\n') };
  },
});

function lineOf(thread: OpenThread): string {
  return `${thread.kind} ${thread.id}, ${ageText(thread.age_seconds)} old, ${factsOf(thread)}`;
}

function factsOf(thread: OpenThread): string {
  switch (thread.kind) {
    case 'question': {
      const until = thread.deadline_at === undefined ? '' : `, expires ${thread.deadline_at}`;
      return `${thread.asker} asks ${thread.target ?? 'operator'}${until}: ${quoted(thread.question, SHOWN_CHARS)}`;
    }
    case 'reminder':
      return `of ${thread.owner}, due ${thread.due_at}: ${quoted(thread.message, SHOWN_CHARS)}`;
    case 'message':
      return `from ${thread.from} to ${thread.to}, ${thread.state}: ${quoted(thread.body, SHOWN_CHARS)}`;
    case 'approval':
      return `${thread.agent} at ${thread.commit_ref}: ${quoted(thread.description, SHOWN_CHARS)}`;
    default:
      return thread satisfies never;
  }
}
