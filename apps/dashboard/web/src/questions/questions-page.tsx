import './questions.css';
import { useMemo, useState, type ReactNode } from 'react';

import type { QuestionRow } from '#libs/protocol';

import { Button } from '../design/button.js';
import { Empty } from '../design/empty.js';
import { ErrorNote } from '../design/error-note.js';
import { usePages } from '../hive/pages.js';
import { useQuestions } from '../hive/pending.js';
import { idNumber, withQuestions } from '../hive/rows.js';
import { mergeRows } from '../hive/store.js';
import { AgentFilter, useAgentFilter } from '../shell/agent-filter.js';
import { QuestionItem, ResolvedQuestion } from './question-item.js';

const PAGE = 50;

/** What agents ask: the operator's to answer first, then what they ask each other, then what is closed. */
export function Questions(): ReactNode {
  const agent = useAgentFilter();
  const all = useQuestions();
  const { yours, others, closed } = useMemo(() => sorted(all, agent), [all, agent]);
  const filter = agent === undefined ? '' : `&agent=${encodeURIComponent(agent)}`;
  const pages = usePages('questions', `limit=${PAGE}${filter}`, ({ questions }) =>
    mergeRows((rows) => withQuestions(rows, questions)),
  );
  return (
    <main className="page questions">
      <header className="page-head">
        <div>
          <h1>Questions</h1>
          <p className="page-sum nums">
            <span>
              <b>{yours.length}</b> for you
            </span>
            <span>
              <b>{others.length}</b> between agents
            </span>
          </p>
        </div>
        {agent !== undefined && <AgentFilter agent={agent} path="/questions" />}
      </header>
      <section className="panel" aria-labelledby="questions-yours">
        <header className="panel-head">
          <h2 className="label" id="questions-yours">
            For you
          </h2>
        </header>
        {yours.length === 0 ? (
          <Empty title="Nobody asks you anything">
            When an agent needs a decision it asks here, with options or without, and works on when
            you have answered.
          </Empty>
        ) : (
          <OpenList questions={yours} />
        )}
      </section>
      {others.length > 0 && (
        <section className="panel" aria-labelledby="questions-others">
          <header className="panel-head">
            <h2 className="label" id="questions-others">
              Between agents
            </h2>
          </header>
          <OpenList questions={others} />
        </section>
      )}
      <section className="panel" aria-labelledby="questions-closed">
        <header className="panel-head">
          <h2 className="label" id="questions-closed">
            Closed
          </h2>
        </header>
        {closed.length === 0 && !pages.loading && !pages.error && (
          <p className="quiet panel-none">No question was answered, cancelled or let expire yet.</p>
        )}
        {closed.length === 0 && pages.loading && (
          <div className="skeleton list-skeleton" role="status" aria-label="Reading questions" />
        )}
        <ul>
          {closed.map((question) => (
            <ResolvedQuestion key={question.id} question={question} />
          ))}
        </ul>
        {pages.error && <ErrorNote onRetry={pages.again}>{pages.error}</ErrorNote>}
        {pages.more && (
          <Button
            small
            look="ghost"
            className="list-more"
            busy={pages.moreBusy}
            onClick={pages.more}
          >
            Older questions
          </Button>
        )}
      </section>
    </main>
  );
}

/** Open questions with their forms, a page of them at a time. */
function OpenList({ questions }: { questions: readonly QuestionRow[] }): ReactNode {
  const [most, setMost] = useState(PAGE);
  return (
    <>
      <ul>
        {questions.slice(0, most).map((question) => (
          <QuestionItem key={question.id} question={question} />
        ))}
      </ul>
      {questions.length > most && (
        <Button small look="ghost" className="list-more" onClick={() => setMost(most + PAGE)}>
          {questions.length - most} more questions
        </Button>
      )}
    </>
  );
}

function sorted(
  questions: readonly QuestionRow[],
  agent: string | undefined,
): Record<'yours' | 'others' | 'closed', QuestionRow[]> {
  const shown = questions.filter(
    ({ asker, target }) => agent === undefined || asker === agent || target === agent,
  );
  const open = shown.filter(({ state }) => state === 'open').toSorted(mostPressing);
  return {
    yours: open.filter(({ target }) => target === null),
    others: open.filter(({ target }) => target !== null),
    closed: shown
      .filter(({ state }) => state !== 'open')
      .sort((a, b) => (b.resolved_at ?? '').localeCompare(a.resolved_at ?? '')),
  };
}

/** What expires first, then what has waited longest. */
function mostPressing(a: QuestionRow, b: QuestionRow): number {
  if (a.deadline_at !== b.deadline_at) {
    if (a.deadline_at === null) return 1;
    if (b.deadline_at === null) return -1;
    return a.deadline_at.localeCompare(b.deadline_at);
  }
  return idNumber(a.id) - idNumber(b.id);
}
