import { Option, type Command } from 'commander';

import { REMINDER_STATES, type BrokerDashboardApi, type ReminderRow } from '#libs/protocol';

import { allPages } from '../hive/pages.js';
import { table } from '../output/text.js';
import { connect, show, type Context } from './context.js';

/** Characters of a reminder that a line of the table shows. */
const SHOWN_CHARS = 80;

const VERBS = {
  retry: 'deliver a failed reminder once more, now',
  cancel: 'cancel a reminder; a repeating one never comes again',
} as const;

interface ListOptions {
  json?: boolean;
  agent?: string;
  state?: string;
}

/** `hive reminders`, `reminder-retry` and `reminder-cancel`. */
export function addReminderCommands(program: Command, context: Context): void {
  program
    .command('reminders')
    .description("list the agents' reminders")
    .option('--agent <name>', 'only those of this agent')
    .addOption(new Option('--state <state>', 'only those in this state').choices(REMINDER_STATES))
    .option('--json', 'answer as JSON')
    .action(async ({ json = false, agent, state }: ListOptions) => {
      const pages = await allPages<BrokerDashboardApi['reminders'][1]>(
        connect(context),
        '/api/reminders',
        { agent, state },
      );
      const reminders = pages.flatMap((page) => page.reminders);
      show(context, json, { reminders }, () =>
        reminders.length === 0 ? 'no reminders' : reminderTable(reminders),
      );
    });

  for (const [verb, description] of Object.entries(VERBS)) {
    program
      .command(`reminder-${verb}`)
      .description(description)
      .argument('<id>', 'the reminder')
      .option('--json', 'answer as JSON')
      .action(async (id: string, { json = false }: { json?: boolean }) => {
        const done = await connect(context).post<BrokerDashboardApi['retry_reminder'][1]>(
          `/api/reminders/${encodeURIComponent(id)}/${verb}`,
        );
        const { reminder } = done;
        show(context, json, done, () => `${reminder.id} is ${reminder.state}`);
      });
  }
}

function reminderTable(reminders: ReminderRow[]): string {
  const rows = reminders.map((reminder) => [
    reminder.id,
    reminder.owner,
    reminder.state,
    reminder.due_at,
    reminder.every ?? 'once',
    String(reminder.attempt_count),
    [reminder.last_error ?? '', reminder.message]
      .filter((part) => part !== '')
      .join(': ')
      .slice(0, SHOWN_CHARS)
      .toWellFormed(),
  ]);
  return table(['ID', 'AGENT', 'STATE', 'DUE', 'EVERY', 'TRIES', 'WHAT'], rows);
}
