import type { Command } from 'commander';

import type { AgentRow, DashboardAnswers, OperationRow, StateSnapshot } from '#libs/protocol';

import { CommandFailure, EXIT } from '../exit-codes.js';
import { oneLine, table } from '../output/text.js';
import { connect, show, type Context } from './context.js';
import { readConfig } from './read-config.js';

const VERBS = {
  start: 'start an agent',
  stop: 'end every process of an agent',
  restart: 'stop and start an agent',
  rebuild: 'make all that belongs to an agent anew, and start it',
  destroy: 'end an agent for good; its state folder is kept',
} as const;

export interface OperationOptions {
  json?: boolean;
  wait: boolean;
  reason?: string;
}

/** `hive agents`, `spawn`, `start`, `stop`, `restart`, `rebuild`, `destroy`. */
export function addAgentCommands(program: Command, context: Context): void {
  program
    .command('agents')
    .description('list the agents and what they are doing')
    .option('--json', 'answer as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { agents } = await connect(context).get<StateSnapshot>('/api/state');
      show(context, json, { agents }, () => agentTable(agents));
    });

  program
    .command('spawn')
    .description('make an agent')
    .argument('<name>', 'its name')
    .requiredOption('--file <path>', 'its agent.yaml, or a folder with it and the files it needs')
    .option('--reason <text>', 'why; kept with the operation')
    .option('--no-wait', 'return at once instead of when it runs')
    .option('--json', 'answer as JSON')
    .action(async (name: string, options: OperationOptions & { file: string }) => {
      const config = readConfig(options.file, context.surroundings.cwd);
      await operate(context, `/api/agents`, { name, ...config }, options);
    });

  for (const [verb, description] of Object.entries(VERBS)) {
    program
      .command(verb)
      .description(description)
      .argument('<name>', 'the agent')
      .option('--reason <text>', 'why; kept with the operation')
      .option('--no-wait', 'return at once instead of when it is done')
      .option('--json', 'answer as JSON')
      .action(async (name: string, options: OperationOptions) => {
        await operate(context, `/api/agents/${encodeURIComponent(name)}/${verb}`, {}, options);
      });
  }
}

/** Asks for an operation and shows how it went; a failed one is a failure of the command. */
export async function operate(
  context: Context,
  path: string,
  body: Record<string, unknown>,
  { json = false, wait, reason }: OperationOptions,
): Promise<void> {
  const { operation } = await connect(context).post<DashboardAnswers['operation']>(
    wait ? `${path}?wait=1` : path,
    { ...body, ...(reason === undefined ? {} : { reason }) },
  );
  show(context, json, { operation }, () => words(operation));
  if (operation.state === 'failed' || operation.state === 'cancelled') {
    throw new CommandFailure(
      EXIT.failed,
      `${operation.kind} of ${operation.agent ?? 'the hive'} ${operation.state}: ${oneLine(operation.error ?? 'no reason given')}`,
      `operation_${operation.state}`,
    );
  }
}

function words({ kind, agent, state, id }: OperationRow): string {
  if (state === 'failed' || state === 'cancelled') return '';
  const who = agent ?? 'all agents';
  return state === 'done' ? `${who}: ${kind} done` : `${who}: ${kind} is ${state} (${id})`;
}

function agentTable(agents: AgentRow[]): string {
  if (agents.length === 0)
    return 'no agents yet; make one with `hive spawn NAME --file agent.yaml`';
  const rows = agents
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map((agent) => [
      agent.name,
      agent.role,
      agent.driver,
      agent.state,
      agent.state === 'running' ? agent.turn_state : '-',
      String(agent.unread),
      agent.reason || agent.status_text,
    ]);
  return table(['NAME', 'ROLE', 'DRIVER', 'STATE', 'TURN', 'UNREAD', 'STATUS'], rows);
}
