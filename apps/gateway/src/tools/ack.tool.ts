import { z } from 'zod';

import { defineTool } from './tool.js';

/** Most ids of one call. */
const MOST_IDS = 200;

export const ackTool = defineTool({
  name: 'ack',
  title: 'Acknowledge messages',
  description: `Say that you have handled these messages, so that they never come back, even if your turn fails later. Scripts and clients without a harness call it after they have worked on what \`recv\` gave them. A model in a turn rarely needs it: what you were shown is acknowledged when your turn ends well. Never acknowledge what you have not dealt with.

Returns \`acked\`, and \`not_acked\` with the reason for each id that is not yours to acknowledge.`,
  input: z.strictObject({
    ids: z
      .array(z.string())
      .min(1)
      .max(MOST_IDS)
      .describe('ids of messages that you received, for example ["m12"]'),
  }),
  output: z.looseObject({
    acked: z.array(z.string()),
    not_acked: z.array(z.looseObject({ id: z.string(), reason: z.string() })),
  }),
  annotations: {
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  },
  async run(input, context) {
    const result = await context.ask('ack', { ...input, session: context.session });
    const failed = result.not_acked.map(({ id, reason }) => `${JSON.stringify(id)}: ${reason}`);
    return {
      structured: result,
      text: [
        `Acknowledged: ${result.acked.length === 0 ? 'none' : result.acked.join(', ')}.`,
        ...(failed.length === 0 ? [] : [`Not acknowledged: ${failed.join('; ')}.`]),
      ].join(' '),
    };
  },
});
