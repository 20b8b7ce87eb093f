import { z } from 'zod';

import { MANAGER, quoted, REMINDER_STATES } from '#libs/protocol';

import { defineTool } from './tool.js';

/** Characters of each reminder, and of an error, that the text shows; the data has them whole. */
const SHOWN_CHARS = 120;

export const listMyRemindersTool = defineTool({
  name: 'list_my_reminders',
  title: 'List your reminders',
  description: `The reminders that you set and that are still to come, and those that failed or are paused. Use it before you set one, so as not to set it twice, and to find the id of one to end with \`cancel_reminder\`. Those that were delivered or cancelled are not listed.
Returns \`reminders\`: each with \`id\`, \`message\` (a long one is cut), \`due_at\` (the next time), \`every\` where it repeats, \`state\` ("failed": the hive gave up delivering it after \`attempt_count\` tries, see \`last_error\`; the operator can retry it).`,
  input: z.strictObject({}),
  output: z.looseObject({
    reminders: z.array(
      z.looseObject({
        id: z.string(),
        message: z.string(),
        due_at: z.string(),
        every: z.string().optional(),
        state: z.enum(REMINDER_STATES),
        attempt_count: z.int(),
        last_error: z.string().optional(),
      }),
    ),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run(_, context) {
    const { reminders } = await context.ask('list_my_reminders', {});
    const lines = reminders.map(({ id, message, due_at: due, every, state, last_error: error }) => {
      const repeats = every === undefined ? '' : `, every ${quoted(every, SHOWN_CHARS)}`;
      const why = error === undefined ? '' : ` (${quoted(error, SHOWN_CHARS)})`;
      return `${id} ${state}${why}, due ${due}${repeats}: ${quoted(message, SHOWN_CHARS)}`;
    });
    return {
      structured: { reminders },
      text: lines.length === 0 ? 'You have no reminders.' : lines.join('\n'),
    };
  },
});

export const cancelReminderTool = defineTool({
  name: 'cancel_reminder',
  title: 'Cancel a reminder of yours',
  description: `End a reminder that you set, before it comes; a repeating one never comes again. Use it when what it was for is done or no longer wanted, so that it does not cost you a turn. To move one to another time, cancel it and set it anew with \`remind\`.

The manager may end anybody's (\`get_open_threads\` with scope "hive" shows them); it is written into the operator's audit log. All others only their own, by the id that \`remind\` returned; \`list_my_reminders\` shows them. One that was already delivered stays so: it is in your inbox or was read.

Returns the reminder's \`id\` and the \`state\` that it is in now.`,
  input: z.strictObject({
    id: z.string().describe('id of the reminder, as `remind` returned it, for example "r5"'),
  }),
  output: z.looseObject({ id: z.string(), state: z.enum(REMINDER_STATES) }),
  annotations: {
    readOnlyHint: false,
    destructiveHint: true,
    idempotentHint: true,
    openWorldHint: false,
  },
  async run(input, context) {
    if (context.role === MANAGER) {
      await context.manage('POST', '/v1/manager/cancels', { kind: 'reminder', ...input });
    }
    const result = await context.change('cancel_reminder', input);
    return { structured: result, text: `${result.id} is ${result.state}.` };
  },
});
