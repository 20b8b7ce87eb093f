import type { Tool as ListedTool } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

import type { Role } from '#libs/protocol';

import { ackTool } from './ack.tool.js';
import { answerTool, cancelAskTool } from './answer.tool.js';
import { askTool } from './ask.tool.js';
import { getOpenThreadsTool } from './get-open-threads.tool.js';
import { getThreadTool } from './get-thread.tool.js';
import { listAgentsTool } from './list-agents.tool.js';
import { listMyAsksTool } from './list-my-asks.tool.js';
import { MANAGER_TOOLS } from './manager.tools.js';
import { recvBatchTool, recvTool } from './recv.tool.js';
import { remindTool } from './remind.tool.js';
import { cancelReminderTool, listMyRemindersTool } from './reminders.tool.js';
import { requestNextTurnTool } from './request-next-turn.tool.js';
import { searchMessagesTool } from './search-messages.tool.js';
import { sendTool } from './send.tool.js';
import { setStatusTool } from './set-status.tool.js';
import type { Tool } from './tool.js';
import { whoamiTool } from './whoami.tool.js';

/** Every tool, in the order in which clients list them; the manager's own come last. */
export const TOOLS: readonly Tool[] = [
  sendTool,
  recvTool,
  recvBatchTool,
  getThreadTool,
  searchMessagesTool,
  askTool,
  answerTool,
  listMyAsksTool,
  cancelAskTool,
  remindTool,
  listMyRemindersTool,
  cancelReminderTool,
  getOpenThreadsTool,
  listAgentsTool,
  whoamiTool,
  setStatusTool,
  requestNextTurnTool,
  ackTool,
  ...MANAGER_TOOLS,
];

/**
 * Claude Code puts a result of over about 25,000 tokens into a file and shows the model an error instead, unless the
 * tool says that it may be longer. A full `recv_batch` is 32 bodies of 4096 bytes, JSON around them and escapes within.
 */
const CLAUDE_RESULT_SIZE = 'anthropic/maxResultSizeChars';
/** The most that Claude Code takes. */
const CLAUDE_RESULT_CHARS = 500_000;

/** The tools that an agent of that role has. */
export const TOOLS_OF: Record<Role, readonly Tool[]> = {
  agent: TOOLS.filter(({ forManager }) => !forManager),
  manager: TOOLS,
};

/** The answers to `tools/list`, made once for all sessions. */
export const TOOL_LISTS: Record<Role, ListedTool[]> = {
  agent: TOOLS_OF.agent.map((tool) => listed(tool)),
  manager: TOOLS_OF.manager.map((tool) => listed(tool)),
};

/** Names of a tool's input fields. */
export function fieldsOf(tool: Tool): string[] {
  const { properties } = objectSchema(tool.input, 'input');
  return Object.keys(properties ?? {});
}

function listed(tool: Tool): ListedTool {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: objectSchema(tool.input, 'input'),
    outputSchema: objectSchema(tool.output, 'output'),
    annotations: { title: tool.title, ...tool.annotations },
    _meta: { [CLAUDE_RESULT_SIZE]: CLAUDE_RESULT_CHARS },
  };
}

function objectSchema(schema: z.ZodType, io: 'input' | 'output'): ListedTool['inputSchema'] {
  return z.toJSONSchema(schema, { io }) as ListedTool['inputSchema'];
}
