import { Option, type Command } from 'commander';

import type { AgentStats } from '#libs/protocol';

import { table } from '../output/text.js';
import { connect, show, type Context } from './context.js';

const WINDOWS: readonly AgentStats['window'][] = ['24h', '7d', '30d'];

/** `hive stats`. */
export function addStatsCommands(program: Command, context: Context): void {
  program
    .command('stats')
    .description('what an agent did and cost, and which threads and reminders cost it')
    .argument('<name>', 'the agent')
    .addOption(new Option('--window <time>', 'over how long').choices(WINDOWS).default('24h'))
    .option('--json', 'answer as JSON')
    .action(async (name: string, { json = false, window }: { json?: boolean; window: string }) => {
      const stats = await connect(context).get<AgentStats>(
        `/api/agents/${encodeURIComponent(name)}/stats?window=${window}`,
      );
      show(context, json, stats, () => words(name, stats));
    });
}

function words(name: string, stats: AgentStats): string {
  const { tokens } = stats;
  const read = tokens.input + tokens.cache_read + tokens.cache_creation;
  const parts = [
    `${name} in ${stats.window}: ${stats.turns} turns, ${dollars(stats.cost_usd)}, ${read} tokens read, ${tokens.output} written`,
  ];
  const threads = stats.cost_by_thread.map(({ thread_id, ...cost }) => [thread_id, ...cells(cost)]);
  if (threads.length > 0) parts.push(table(['THREAD', 'TURNS', 'COST'], threads));
  const reminders = stats.cost_by_reminder.map(({ reminder_id, ...cost }) => [
    reminder_id,
    ...cells(cost),
  ]);
  if (reminders.length > 0) parts.push(table(['REMINDER', 'TURNS', 'COST'], reminders));
  return parts.join('\n\n');
}

function cells({ turns, cost_usd }: { turns: number; cost_usd: number }): string[] {
  return [String(turns), dollars(cost_usd)];
}

function dollars(amount: number): string {
  return `$${amount.toFixed(4)}`;
}
