import type { Command } from 'commander';

import type { DashboardAnswers } from '#libs/protocol';

import { allPages, withQuery } from '../hive/pages.js';
import { sentMessageWords } from '../output/message.js';
import { connect, show, type Context } from './context.js';

interface SearchOptions {
  json?: boolean;
  agent?: string;
  before?: string;
}

/** `hive search` and `thread`. */
export function addConversationCommands(program: Command, context: Context): void {
  program
    .command('search')
    .description('find messages by their words, newest first')
    .argument('<query>', 'words that a message must hold, all of them')
    .option('--agent <name>', 'only what this agent sent or received')
    .option('--before <id>', 'go on where an earlier search ended')
    .option('--json', 'answer as JSON')
    .action(async (query: string, { json = false, agent, before }: SearchOptions) => {
      const found = await connect(context).get<DashboardAnswers['messages']>(
        withQuery('/api/messages', { q: query, agent, before }),
      );
      show(context, json, found, () =>
        [
          ...(found.messages.length === 0 ? ['no message holds these words'] : []),
          ...found.messages.map((message) => sentMessageWords(message, context.now())),
          ...(found.next === undefined ? [] : [`older ones: --before ${found.next}`]),
        ].join('\n\n'),
      );
    });

  program
    .command('thread')
    .description('show a conversation, oldest message first')
    .argument('<id>', 'its id, which is that of its first message')
    .option('--json', 'answer as JSON')
    .action(async (id: string, { json = false }: { json?: boolean }) => {
      const pages = await allPages<DashboardAnswers['messages']>(
        connect(context),
        '/api/messages',
        { thread: id },
      );
      const messages = pages.flatMap((page) => page.messages).toReversed();
      show(context, json, { thread_id: id, messages }, () =>
        messages.length === 0
          ? 'no such conversation'
          : messages.map((message) => sentMessageWords(message, context.now())).join('\n\n'),
      );
    });
}
