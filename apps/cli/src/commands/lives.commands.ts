import type { Command } from 'commander';

import type { DashboardAnswers, OperationRow, TombstoneRow } from '#libs/protocol';

import { CommandFailure, EXIT } from '../exit-codes.js';
import { age, oneLine, table } from '../output/text.js';
import { operate, type OperationOptions } from './agents.commands.js';
import { connect, show, type Context } from './context.js';

const ALL = {
  'restart-all': 'restart every agent that runs, the manager first',
  'update-all': 'rebuild every agent that runs, the manager first',
} as const;

interface TombstoneOptions extends OperationOptions {
  id?: string;
}

/** `hive tombstones`, `revive`, `purge`, `restart-all`, `update-all`, `operations`. */
export function addLifeCommands(program: Command, context: Context): void {
  program
    .command('tombstones')
    .description('list the destroyed agents whose state is kept')
    .option('--json', 'answer as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const answer = await connect(context).get<DashboardAnswers['tombstones']>('/api/tombstones');
      show(context, json, answer, () => tombstoneTable(answer.tombstones, context.now()));
    });

  withOptions(
    program
      .command('revive')
      .description('let a destroyed agent live again with its state')
      .argument('<name>', 'the agent'),
  ).action(async (name: string, options: TombstoneOptions) => {
    await operate(context, path(name, 'revive'), which(options), options);
  });

  withOptions(
    program
      .command('purge')
      .description('remove for good what is kept of a destroyed agent')
      .argument('<name>', 'the agent')
      .option('--confirm <name>', 'its name once more: what is purged is gone'),
  ).action(async (name: string, options: TombstoneOptions & { confirm?: string }) => {
    if (options.confirm !== name) {
      throw new CommandFailure(
        EXIT.usage,
        `what is purged is gone for good; if you mean it: hive purge ${name} --confirm ${name}`,
        'not_confirmed',
      );
    }
    const body = { ...which(options), confirm: name };
    await operate(context, path(name, 'purge'), body, options);
  });

  for (const [verb, description] of Object.entries(ALL)) {
    program
      .command(verb)
      .description(description)
      .option('--reason <text>', 'why; kept with the operation')
      .option('--no-wait', 'return at once instead of when it is done')
      .option('--json', 'answer as JSON')
      .action(async (options: OperationOptions) => {
        await operate(context, `/api/${verb}`, {}, options);
      });
  }

  program
    .command('operations')
    .description('list what was asked for, who asked, how long it took and what went wrong')
    .option('--limit <n>', 'how many, the newest', '20')
    .option('--json', 'answer as JSON')
    .action(async ({ limit, json = false }: { limit: string; json?: boolean }) => {
      const query = new URLSearchParams({ limit });
      const answer = await connect(context).get<DashboardAnswers['operations']>(
        `/api/operations?${query.toString()}`,
      );
      show(context, json, answer, () => operationTable(answer.operations, context.now()));
    });
}

function withOptions(command: Command): Command {
  return command
    .option('--id <agent_id>', 'which of several of that name (hive tombstones)')
    .option('--reason <text>', 'why; kept with the operation')
    .option('--no-wait', 'return at once instead of when it is done')
    .option('--json', 'answer as JSON');
}

function path(name: string, verb: string): string {
  return `/api/agents/${encodeURIComponent(name)}/${verb}`;
}

function which({ id }: TombstoneOptions): Record<string, unknown> {
  return id === undefined ? {} : { agent_id: id };
}

function tombstoneTable(rows: TombstoneRow[], now: number): string {
  if (rows.length === 0) return 'nothing is kept of destroyed agents';
  return table(
    ['NAME', 'ID', 'ROLE', 'DRIVER', 'DESTROYED'],
    rows.map(({ name, agent_id, role, driver, destroyed_at }) => [
      name,
      agent_id,
      role,
      driver,
      `${age(destroyed_at, now)} ago`,
    ]),
  );
}

function operationTable(rows: OperationRow[], now: number): string {
  if (rows.length === 0) return 'nothing was asked for yet';
  return table(
    ['ID', 'KIND', 'AGENT', 'STATE', 'ASKED', 'TOOK', 'BY', 'WHY'],
    rows.map((row) => [
      row.id,
      row.kind,
      row.agent ?? '(all)',
      row.state,
      `${age(row.asked_at, now)} ago`,
      took(row),
      row.asked_by,
      oneLine(row.error ?? row.reason),
    ]),
  );
}

function took({ started_at, ended_at }: OperationRow): string {
  if (started_at === null || ended_at === null) return '-';
  return `${((Date.parse(ended_at) - Date.parse(started_at)) / 1000).toFixed(1)} s`;
}
