import type { Command } from 'commander';

import type { BrokerDashboardApi, NeedsYou, QuestionRow } from '#libs/protocol';

import { allPages } from '../hive/pages.js';
import { age, oneLine, plain, table } from '../output/text.js';
import { connect, givenText, show, type Context } from './context.js';

type Answered = BrokerDashboardApi['answer_question'][1];

interface ListOptions {
  json?: boolean;
  all?: boolean;
  agent?: string;
}

/** `hive ask-list`, `answer`, `cancel-ask` and `needs-you`. */
export function addQuestionCommands(program: Command, context: Context): void {
  program
    .command('ask-list')
    .description('list the questions that are open, to the operator and between agents')
    .option('--all', 'those that were answered, expired or cancelled, too')
    .option('--agent <name>', 'only what this agent asked or was asked')
    .option('--json', 'answer as JSON')
    .action(async ({ json = false, all = false, agent }: ListOptions) => {
      const pages = await allPages<BrokerDashboardApi['questions'][1]>(
        connect(context),
        '/api/questions',
        { state: all ? undefined : 'open', agent },
      );
      const questions = pages.flatMap((page) => page.questions);
      show(context, json, { questions }, () =>
        questions.length === 0
          ? all
            ? 'nobody asked anything'
            : 'no question is open'
          : questions.map((question) => words(question, context.now())).join('\n\n'),
      );
    });

  program
    .command('answer')
    .description("answer a question as the operator, a peer's too")
    .argument('<id>', 'the question')
    .argument('<text...>', 'the answer: one or several options, or free words; "-" for the input')
    .option('--json', 'answer as JSON')
    .action(async (id: string, texts: string[], { json = false }: { json?: boolean }) => {
      const [first = '', ...others] = texts;
      const answer = others.length === 0 ? await givenText(context, first) : texts;
      const done = await connect(context).post<Answered>(`${pathOf(id)}/answer`, { answer });
      show(context, json, done, () => `${done.question.id} is ${done.question.state}`);
    });

  program
    .command('cancel-ask')
    .description('cancel a question; its asker and its target are told')
    .argument('<id>', 'the question')
    .option('--json', 'answer as JSON')
    .action(async (id: string, { json = false }: { json?: boolean }) => {
      const done = await connect(context).post<Answered>(`${pathOf(id)}/cancel`);
      show(context, json, done, () => `${done.question.id} is ${done.question.state}`);
    });

  program
    .command('needs-you')
    .description('list what waits for the operator')
    .option('--json', 'answer as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { needs_you: waiting } =
        await connect(context).get<BrokerDashboardApi['needs_you'][1]>('/api/needs-you');
      show(context, json, { needs_you: waiting }, () =>
        waiting.length === 0 ? 'nothing waits for you' : waitingTable(waiting, context.now()),
      );
    });
}

function pathOf(id: string): string {
  return `/api/questions/${encodeURIComponent(id)}`;
}

function words(row: QuestionRow, now: number): string {
  const { id, asker, target, question, options, multi, state, asked_at: asked } = row;
  const until = row.deadline_at === null ? '' : `, until ${row.deadline_at}`;
  const head = `${id} ${state}: ${asker} asks ${target ?? 'operator'}, ${age(asked, now)} ago${state === 'open' ? until : ''}`;
  const choice = options.map((option) => JSON.stringify(oneLine(option))).join(', ');
  return [
    head,
    plain(question).replaceAll(/^/gm, '  '),
    ...(options.length === 0 ? [] : [`  ${multi ? 'some of' : 'one of'} ${choice}, or free words`]),
    ...(row.answer === null ? [] : [`  ${row.answered_by ?? 'somebody'}: ${oneLine(row.answer)}`]),
  ].join('\n');
}

function waitingTable(waiting: NeedsYou[], now: number): string {
  const rows = waiting.map(({ kind, id, agent, since, count, title }) => [
    kind,
    id,
    agent,
    age(since, now),
    String(count),
    title,
  ]);
  return table(['KIND', 'ID', 'AGENT', 'SINCE', 'COUNT', 'WHAT'], rows);
}
