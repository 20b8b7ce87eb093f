import { Option, type Command } from 'commander';

import {
  LIMITS,
  OPERATOR,
  PRIORITIES,
  type DashboardAnswers,
  type MessageRow,
  type SendResult,
} from '#libs/protocol';

import type { DashboardClient } from '../hive/dashboard.client.js';
import { messageWords } from '../output/message.js';
import { plain } from '../output/text.js';
import { connect, givenText, show, type Context } from './context.js';

/** Messages of one page, and how far back the inbox looks. */
const PAGE = 200;
const MOST_PAGES = 25;

interface SendOptions {
  json?: boolean;
  replyTo?: string;
  priority?: string;
  key?: string;
}
interface InboxOptions {
  json?: boolean;
  read?: boolean;
  all?: boolean;
}

interface WakeOptions {
  json?: boolean;
  agent: string;
  from: string;
  body: string;
}

/** `hive send`, `wake` and `inbox`. */
export function addMessageCommands(program: Command, context: Context): void {
  program
    .command('send')
    .description('send a message as the operator')
    .argument('<to>', 'an agent, several with commas between them, or "*"')
    .argument('<body>', 'the text, or "-" for what stands on the standard input')
    .option('--reply-to <id>', 'the message that this answers')
    .addOption(new Option('--priority <priority>', 'how much it hurries').choices(PRIORITIES))
    .option('--key <key>', 'repeating the command with the same key sends nothing twice')
    .option('--json', 'answer as JSON')
    .action(async (to: string, body: string, options: SendOptions) => {
      const { json = false, replyTo, priority, key } = options;
      const text = await givenText(context, body);
      const sent = await connect(context).post<SendResult>('/api/messages', {
        to: to.includes(',') ? to.split(',').map((name) => name.trim()) : to,
        body: text,
        ...(replyTo === undefined ? {} : { in_reply_to: replyTo }),
        ...(priority === undefined ? {} : { priority }),
        ...(key === undefined ? {} : { idempotency_key: key }),
      });
      show(context, json, sent, () => sentWords(sent));
    });

  program
    .command('wake')
    .description('start a turn of an agent as a program outside the hive')
    .requiredOption('--agent <name>', 'the agent')
    .requiredOption('--from <label>', 'what the agent sees as the sender: external:LABEL')
    .requiredOption('--body <text>', 'the text, or "-" for what stands on the standard input')
    .option('--json', 'answer as JSON')
    .action(async ({ agent, from, body, json = false }: WakeOptions) => {
      const text = await givenText(context, body);
      const sent = await connect(context).post<SendResult>(
        `/api/agents/${encodeURIComponent(agent)}/wake`,
        { from, body: text },
      );
      show(context, json, sent, () => sentWords(sent));
    });

  program
    .command('inbox')
    .description('show what agents wrote to the operator and is not read yet')
    .option('--read', 'mark what is shown as read')
    .option('--all', 'show what was read, too')
    .option('--json', 'answer as JSON')
    .action(async ({ json = false, read = false, all = false }: InboxOptions) => {
      const api = connect(context);
      const found = await inbox(api, all);
      const messages = read ? await markRead(api, found) : found;
      show(context, json, { messages }, () =>
        messages.length === 0
          ? 'nothing waits for you'
          : messages.map((message) => messageWords(message, context.now())).join('\n\n'),
      );
    });
}

async function inbox(api: DashboardClient, all: boolean): Promise<MessageRow[]> {
  const found: MessageRow[] = [];
  let before: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const query = new URLSearchParams({ agent: OPERATOR, limit: String(PAGE) });
    if (before !== undefined) query.set('before', before);
    const { messages, next } = await api.get<DashboardAnswers['messages']>(
      `/api/messages?${query.toString()}`,
    );
    found.push(
      ...messages.filter((message) => isToOperator(message) && (all || isUnread(message))),
    );
    if (next === undefined || (all && found.length > 0)) break;
    before = next;
  }
  return found;
}

async function markRead(api: DashboardClient, messages: MessageRow[]): Promise<MessageRow[]> {
  const marked: MessageRow[] = [];
  for (const message of messages) {
    const answer = isUnread(message)
      ? await api.post<DashboardAnswers['message']>(`/api/messages/${message.id}/read`)
      : { message };
    marked.push(answer.message);
  }
  return marked;
}

function isToOperator({ deliveries }: MessageRow): boolean {
  return deliveries.some(({ to }) => to === OPERATOR);
}
function isUnread({ deliveries }: MessageRow): boolean {
  return deliveries.some(({ to, state }) => to === OPERATOR && state === 'queued');
}

function sentWords({ id, recipients, thread_id: thread, note }: SendResult): string {
  const many = recipients.length > LIMITS.recipients;
  const to = many ? `${recipients.length} agents` : recipients.join(', ');
  return `${id} to ${to} (thread ${thread})${note === undefined ? '' : `\n${plain(note)}`}`;
}
