import { z } from 'zod';

import {
  LIMITS,
  MESSAGE_KINDS,
  PRIORITIES,
  QUESTION_STATES,
  SENDER_KINDS,
  WAIT_REASONS,
  type Message,
  type ThreadMessage,
} from '#libs/protocol';

/** Pieces that several tools' schemas are made of. Output objects are open: a newer broker may say more. */

export const messageIdInput = z
  .string()
  .describe('id of a message, as the prompt or `recv` showed it, for example "m12"');

export const questionIdInput = z.string().describe('id of the question, for example "q3"');

export const waitSecondsInput = z
  .int()
  .min(0)
  .max(LIMITS.recv_wait_seconds)
  .optional()
  .describe(
    `how many seconds to wait for a message when none is there: 0 (default) to ${LIMITS.recv_wait_seconds}; it returns at once when one comes`,
  );

const message = z.looseObject({
  id: z.string(),
  thread_id: z.string(),
  in_reply_to: z.string().optional(),
  from: z.string(),
  from_kind: z.enum(SENDER_KINDS).describe('who stands behind `from`, attested by the hive'),
  to: z.string(),
  body: z.string(),
  sent_at: z.string(),
  age_seconds: z.number(),
  priority: z.enum(PRIORITIES),
  broadcast: z.boolean(),
  redelivered: z.boolean().describe('true when it was handed to you before'),
  attempt: z.int(),
  hop: z.int(),
  kind: z.enum(MESSAGE_KINDS),
  event: z.string().optional(),
  may_repeat: z.boolean().optional(),
  question: z
    .looseObject({
      id: z.string(),
      state: z.enum(QUESTION_STATES),
      asker: z.string(),
      target: z.string().nullable(),
      question: z.string().optional(),
      options: z.array(z.string()).optional(),
      multi: z.boolean().optional(),
      deadline_at: z.string().optional(),
    })
    .optional()
    .describe('set on a question to you, and on the outcome of one of yours'),
  reminder: z
    .looseObject({
      id: z.string(),
      occurrence: z.int(),
      due_at: z.string(),
      late_seconds: z.number(),
      missed: z.int(),
      file_path: z.string().optional(),
    })
    .optional()
    .describe('set on a reminder of yours that came due'),
});

export const messageOutput: z.ZodType<Message> = message;

export const threadMessageOutput: z.ZodType<ThreadMessage> = message.extend({
  deliveries: z
    .array(
      z.looseObject({
        to: z.string(),
        state: z.enum(['queued', 'leased', 'acked', 'dead', 'cancelled']),
        since: z.string(),
        attempt: z.int(),
        hand_outs: z.int(),
        waits_for: z.enum(WAIT_REASONS).optional(),
        reason: z.string().optional(),
      }),
    )
    .optional()
    .describe('of your own messages: how far each recipient has got'),
});
