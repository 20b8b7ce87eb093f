import type { Command } from 'commander';

import { OPERATOR, type DashboardAnswers, type StateSnapshot } from '#libs/protocol';

import { CommandFailure, EXIT } from '../exit-codes.js';
import { DashboardClient } from '../hive/dashboard.client.js';
import { hiveHome, operatorToken, runningHive } from '../hive/hive-home.js';
import { age, oneLine, table } from '../output/text.js';
import { connect, show, type Context } from './context.js';

/** `hive login-link`, `hive status` and `hive doctor`. */
export function addHiveCommands(program: Command, context: Context): void {
  program
    .command('login-link')
    .description('print a link that opens the dashboard once, within ten minutes')
    .option('--json', 'answer as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const link = await connect(context).post<DashboardAnswers['login_link']>('/api/login-links');
      show(context, json, link, () => link.url);
    });

  program
    .command('status')
    .description('say whether the hive runs and what goes on in it')
    .option('--json', 'answer as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      await status(context, json);
    });

  program
    .command('doctor')
    .description('compare what is recorded with what is there, and say which protections are off')
    .option('--json', 'answer as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const answer = await connect(context).get<DashboardAnswers['doctor']>('/api/doctor');
      show(context, json, answer, () => diagnosis(answer));
      const { length } = answer.problems;
      if (length === 0 && answer.broker_in_step) return;
      throw new CommandFailure(
        EXIT.failed,
        length === 0 ? 'the broker does not have the newest registry' : `problems found: ${length}`,
        'unwell',
      );
    });
}

function diagnosis(answer: DashboardAnswers['doctor']): string {
  const { problems, protections_off: off } = answer;
  return [
    `containers  ${answer.container_driver}`,
    `broker      ${answer.broker_in_step ? 'in step' : 'behind'}`,
    `self-check  ${problems.length === 0 ? 'nothing found' : ''}`,
    ...problems.map(({ check, message }) => `  ${check}: ${oneLine(message)}`),
    `protections ${off.length === 0 ? 'all on' : 'off:'}`,
    ...off.map((sentence) => `  ${oneLine(sentence)}`),
  ].join('\n');
}

async function status(context: Context, json: boolean): Promise<void> {
  const { surroundings, now } = context;
  const home = hiveHome(surroundings);
  const hive = runningHive(home);
  const api = new DashboardClient(hive.dashboard_url, operatorToken(home, surroundings.env));
  const { agents, messages } = await api.get<StateSnapshot>('/api/state');
  const count = (state: string) => agents.filter((agent) => agent.state === state).length;
  const answer = {
    home,
    ready_at: hive.ready_at,
    hive_rev: hive.hive_rev,
    dashboard_url: hive.dashboard_url,
    gateway_url: hive.gateway_url,
    services: hive.services,
    agents: {
      total: agents.length,
      running: count('running'),
      crashed: count('crashed'),
      in_a_turn: agents.filter(({ turn }) => turn !== undefined).length,
      unread: agents.reduce((sum, { unread }) => sum + unread, 0),
    },
    /** Of the newest messages: what waits for the operator. */
    operator_unread: messages.filter(({ deliveries }) =>
      deliveries.some(({ to, state }) => to === OPERATOR && state === 'queued'),
    ).length,
  };
  show(context, json, answer, () => {
    const services = hive.services.map(({ name, pid, started_at }) => [
      name,
      String(pid),
      age(started_at, now()),
    ]);
    return [
      `up for ${age(hive.ready_at, now())} in ${home} (${hive.hive_rev})`,
      `dashboard  ${hive.dashboard_url}`,
      `gateway    ${hive.gateway_url}`,
      `agents     ${answer.agents.total}, ${answer.agents.running} running, ${answer.agents.in_a_turn} in a turn, ${answer.agents.unread} messages wait`,
      `inbox      ${answer.operator_unread} unread`,
      '',
      table(['SERVICE', 'PID', 'UP'], services),
    ].join('\n');
  });
}
