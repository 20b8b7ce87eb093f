import { z } from 'zod';

import { LIMITS } from '#libs/protocol';

import { defineTool } from './tool.js';

const MOST_DELAY_SECONDS = LIMITS.reminder_days * 86_400;
/** Longer than any time or schedule that means something; what it means is checked by the hive. */
const MOST_CHARS = 200;
const MOST_TIME_CHARS = 64;
const MOST_PATH_CHARS = 200;

const input = z
  .strictObject({
    message: z
      .string()
      .describe(
        `what you want to be told: enough for you to know, without today's memory, what to do; at most ${LIMITS.reminder_bytes} bytes of UTF-8`,
      ),
    delay_seconds: z
      .int()
      .min(1)
      .max(MOST_DELAY_SECONDS)
      .optional()
      .describe(`how many seconds from now, 1 to ${MOST_DELAY_SECONDS}; or give \`at\` instead`),
    at: z
      .union([z.string().min(1).max(MOST_TIME_CHARS), z.number()], {
        error: 'must be a time as text (ISO 8601 with offset) or a number (unix seconds)',
      })
      .optional()
      .describe(
        'when: ISO 8601 with offset, for example "2026-03-01T09:00:00+01:00", or unix seconds; in the future; or give `delay_seconds` instead',
      ),
    every: z
      .string()
      .min(1)
      .max(MOST_CHARS)
      .optional()
      .describe(
        `makes it repeat after the first time: a cron expression of five fields ("0 9 * * 1-5") or an ISO-8601 duration ("PT30M"); at least ${LIMITS.reminder_every_seconds} seconds apart`,
      ),
    every_tz: z
      .string()
      .min(1)
      .max(MOST_CHARS)
      .optional()
      .describe(
        'time zone of a cron expression in `every`, for example "Europe/Berlin"; default UTC',
      ),
    file_path: z
      .string()
      .min(1)
      .max(MOST_PATH_CHARS)
      .optional()
      .describe(
        `where the text is written when it is due, relative to your state folder; for texts that belong in a file. One of over ${LIMITS.body_bytes} bytes always goes into a file, by default "reminders/<id>.md"`,
      ),
  })
  .refine(
    ({ delay_seconds: delay, at }) => (delay === undefined) !== (at === undefined),
    'exactly one of "delay_seconds" and "at" must be given',
  )
  .refine(
    ({ every, every_tz: zone }) => zone === undefined || every !== undefined,
    '"every_tz" needs "every"',
  );

export const remindTool = defineTool({
  name: 'remind',
  title: 'Set a reminder for yourself',
  description: `Have the hive write to you later: it starts a turn of yours at that time, with your text, even if everything was restarted in between. Use it to look at something again, to follow up when nobody answered, to do something at a set time, or regularly (\`every\`). End your turn instead of waiting for it.

Do not use it to wait for a message (a message wakes you anyway), to tell others something (\`send\`), or as a short loop: each time costs a turn. Give either \`delay_seconds\` or \`at\`, not both.

It comes never early. When the hive was away it comes late, once, and says how late it is and how many times of a repeating one were missed. At most ${LIMITS.reminders_pending} may be pending and ${LIMITS.reminder_burst} be set at once (${LIMITS.reminders_per_hour} in an hour), unless the operator allows you another number. \`list_my_reminders\` shows them, \`cancel_reminder\` ends one.

Returns \`id\` and \`due_at\`, when it comes first.`,
  input,
  output: z.looseObject({ id: z.string(), due_at: z.string(), note: z.string().optional() }),
  annotations: {
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: false,
    openWorldHint: false,
  },
  async run(given, context) {
    const result = await context.change('remind', given);
    const note = result.note === undefined ? '' : ` Note: ${result.note}`;
    return { structured: result, text: `Reminder ${result.id} comes at ${result.due_at}.${note}` };
  },
});
