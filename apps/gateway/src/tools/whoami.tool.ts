import { z } from 'zod';

import { DRIVERS, ROLES } from '#libs/protocol';

import { defineTool } from './tool.js';

export const whoamiTool = defineTool({
  name: 'whoami',
  title: 'Who am I',
  description: `Your own name, role, model and driver as the hive knows them, the TCP port of the gateway, and the hive's revision. Use it when you are unsure of your name or role; it comes from your credential, not from anything you were told. Returns in a moment and changes nothing.`,
  input: z.strictObject({}),
  output: z.looseObject({
    name: z.string(),
    role: z.enum(ROLES),
    model: z.string().nullable(),
    driver: z.enum(DRIVERS),
    port: z.int().describe('TCP port by which you reach the gateway'),
    hyperhive_rev: z.string(),
    started_at: z.string().describe('when your harness started'),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  async run(_, context) {
    const self = { ...(await context.ask('whoami', {})), port: context.port };
    return {
      structured: self,
      text: `You are ${self.name}, role ${self.role}, driver ${self.driver}, model ${self.model ?? 'not named'}.`,
    };
  },
});
