import type { Command } from 'commander';

import type { ApprovalRow, AuditRow, DashboardAnswers, DiffBase } from '#libs/protocol';

import { CommandFailure, EXIT } from '../exit-codes.js';
import { allPages, withQuery } from '../hive/pages.js';
import { age, oneLine, plain, table } from '../output/text.js';
import { connect, givenText, show, type Context } from './context.js';

interface ListOptions {
  json?: boolean;
  all?: boolean;
  agent?: string;
}

/** `hive approvals`, `approve`, `deny`, `config` and `audit`. */
export function addApprovalCommands(program: Command, context: Context): void {
  addLists(program, context);
  addDecisions(program, context);
  addConfig(program, context);
}

function addLists(program: Command, context: Context): void {
  program
    .command('approvals')
    .description('list what waits for your decision; with an id, show it with its diff')
    .argument('[id]', 'one approval')
    .option('--all', 'those that were decided, too')
    .option('--agent <name>', 'only those of this agent')
    .option(
      '--base <base>',
      'what its diff is against: running, approved (last), queued (before it) or none',
    )
    .option('--json', 'answer as JSON')
    .action(async (id: string | undefined, options: ListOptions & { base?: DiffBase }) => {
      const { json = false, all = false, agent, base } = options;
      if (id !== undefined) {
        const detail = await detailOf(context, id, base);
        show(context, json, detail, () => detailWords(detail));
        return;
      }
      const pages = await allPages<DashboardAnswers['approvals']>(
        connect(context),
        '/api/approvals',
        { state: all ? undefined : 'pending', agent },
      );
      const approvals = pages.flatMap((page) => page.approvals);
      show(context, json, { approvals }, () =>
        approvals.length === 0
          ? all
            ? 'nothing was ever asked for'
            : 'no approval waits for you'
          : approvalTable(approvals, context.now()),
      );
    });

  program
    .command('audit')
    .description('show what the operator and the manager did, newest first')
    .option('--lines <count>', 'how many rows', '50')
    .option('--before <id>', 'only older ones than this row')
    .option('--json', 'answer as JSON')
    .action(
      async ({
        json = false,
        lines,
        before,
      }: {
        json?: boolean;
        lines: string;
        before?: string;
      }) => {
        const path = withQuery('/api/audit', { limit: lines, before });
        const answer = await connect(context).get<DashboardAnswers['audit']>(path);
        show(context, json, answer, () => auditTable(answer.audit));
      },
    );
}

function addDecisions(program: Command, context: Context): void {
  program
    .command('approve')
    .description('approve exactly the commit that you saw, and wait until it is deployed')
    .argument('<id>', 'the approval')
    .argument('[sha]', 'its whole commit, as `hive approvals ID` shows it')
    .option('--no-wait', 'do not wait for the deploy')
    .option('--json', 'answer as JSON')
    .action(
      async (id: string, sha: string | undefined, options: { json?: boolean; wait: boolean }) => {
        const { json = false, wait } = options;
        const api = connect(context);
        const { approval: row } = await detailOf(context, id, 'none');
        if (row.sha !== null && sha === undefined) {
          throw new CommandFailure(
            EXIT.usage,
            `name the commit that you saw: hive approve ${row.id} ${row.sha} (hive approvals ${row.id} shows its diff)`,
            'usage',
          );
        }
        const path = `/api/approvals/${encodeURIComponent(id)}/approve${wait ? '?wait=1' : ''}`;
        const done = await api.post<DashboardAnswers['approval']>(path, { sha: sha ?? null });
        const { state, error } = done.approval;
        if (state === 'failed') {
          throw new CommandFailure(
            EXIT.failed,
            `${id} failed: ${oneLine(error ?? 'no reason is known')}; the agent keeps what it had`,
            'failed',
            done,
          );
        }
        show(context, json, done, () => `${id} is ${state}`);
      },
    );

  program
    .command('deny')
    .description('deny a request; the manager is told the reason')
    .argument('<id>', 'the approval')
    .argument('[reason]', 'why; "-" for the input')
    .option('--json', 'answer as JSON')
    .action(
      async (id: string, reason: string | undefined, { json = false }: { json?: boolean }) => {
        const body = reason === undefined ? {} : { reason: await givenText(context, reason) };
        const path = `/api/approvals/${encodeURIComponent(id)}/deny`;
        const done = await connect(context).post<DashboardAnswers['approval']>(path, body);
        show(context, json, done, () => `${id} is ${done.approval.state}`);
      },
    );
}

function addConfig(program: Command, context: Context): void {
  const config = program
    .command('config')
    .description("show an agent's configuration, its history, or what differs between two commits");

  config
    .command('show')
    .description('show a file of the deployed configuration, or of another commit')
    .argument('<agent>')
    .argument('[file]', 'default agent.yaml')
    .option('--at <commit>', 'a whole commit, or a tag as deployed/a3')
    .option('--json', 'answer as JSON')
    .action(
      async (agent: string, file: string | undefined, options: { json?: boolean; at?: string }) => {
        const { json = false, at } = options;
        const path = withQuery(`${configPath(agent)}/file`, { path: file, at });
        const answer = await connect(context).get<DashboardAnswers['config_file']>(path);
        show(context, json, answer, () => plain(answer.text).replace(/\n$/, ''));
      },
    );

  config
    .command('history')
    .description('list every commit that was submitted, newest first, and how it fared')
    .argument('<agent>')
    .option('--json', 'answer as JSON')
    .action(async (agent: string, { json = false }: { json?: boolean }) => {
      const answer = await connect(context).get<DashboardAnswers['config']>(configPath(agent));
      show(context, json, answer, () =>
        table(
          ['TAG', 'COMMIT', 'WHEN', 'SUBJECT', 'NOTE'],
          answer.history.map(({ tag, sha, at, subject, note }) => [
            tag,
            sha.slice(0, 12),
            age(at, context.now()),
            subject,
            note,
          ]),
        ),
      );
    });

  config
    .command('diff')
    .description('show what a commit changes of what is deployed, or of another')
    .argument('<agent>')
    .argument('<to>', 'a whole commit, or a tag as proposal/a3')
    .option('--from <commit>', 'instead of what is deployed')
    .option('--json', 'answer as JSON')
    .action(async (agent: string, to: string, options: { json?: boolean; from?: string }) => {
      const { json = false, from } = options;
      const path = withQuery(`${configPath(agent)}/diff`, { from, to });
      const answer = await connect(context).get<DashboardAnswers['config_diff']>(path);
      show(context, json, answer, () => plain(answer.diff) || 'nothing differs');
    });
}

function configPath(agent: string): string {
  return `/api/agents/${encodeURIComponent(agent)}/config`;
}

function detailOf(
  context: Context,
  id: string,
  base: DiffBase | undefined,
): Promise<DashboardAnswers['approval_detail']> {
  return connect(context).get(withQuery(`/api/approvals/${encodeURIComponent(id)}`, { base }));
}

function detailWords({ approval, base, diff }: DashboardAnswers['approval_detail']): string {
  const { id, state, kind, agent, sha, description, requested_by, reason, error } = approval;
  const about = agent === null ? '' : ` of ${agent}`;
  return [
    `${id} ${state}: ${kind}${about}, asked for by ${requested_by}`,
    ...(sha === null ? [] : [`commit ${sha}`]),
    ...(description === '' ? [] : [plain(description).replaceAll(/^/gm, '  ')]),
    ...(reason === null ? [] : [`denied: ${oneLine(reason)}`]),
    ...(error === null ? [] : [`error: ${oneLine(error)}`]),
    ...(diff.diff === '' ? [] : [`against ${base}:`, plain(diff.diff)]),
    ...(diff.truncated ? ['(the diff is longer; see the repository)'] : []),
  ].join('\n');
}

function approvalTable(approvals: readonly ApprovalRow[], now: number): string {
  return table(
    ['ID', 'STATE', 'KIND', 'AGENT', 'COMMIT', 'SINCE', 'WHAT FOR'],
    approvals.map(({ id, state, kind, agent, sha, requested_at: at, description }) => [
      id,
      state,
      kind,
      agent ?? '-',
      sha?.slice(0, 12) ?? '-',
      age(at, now),
      description,
    ]),
  );
}

function auditTable(rows: readonly AuditRow[]): string {
  return table(
    ['ID', 'WHEN', 'WHO', 'BY', 'ACTION', 'TARGET', 'RESULT'],
    rows.map(({ id, at, who, via, action, target, result }) => [
      id,
      at,
      who,
      via,
      action,
      target ?? '-',
      result,
    ]),
  );
}
