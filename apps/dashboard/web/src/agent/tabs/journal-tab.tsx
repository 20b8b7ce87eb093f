import './code.css';
import { RotateCw } from 'lucide-react';
import { useState, type ReactNode } from 'react';

import type { DashboardAnswers } from '#libs/protocol';

import { Button } from '../../design/button.js';
import { Empty } from '../../design/empty.js';
import { ErrorNote } from '../../design/error-note.js';
import { useQuery } from '../../hive/queries.js';
import { journalLine, type JournalLine } from './journal-line.js';

const LINES = [50, 200, 500] as const;

/** The last lines that the agent's harness wrote to its log. */
export function JournalTab({ name }: { name: string }): ReactNode {
  const [lines, setLines] = useState<number>(200);
  const query = useQuery<DashboardAnswers['journal']>(
    `/api/agents/${encodeURIComponent(name)}/journal?lines=${lines}`,
  );
  return (
    <section className="panel journal">
      <header className="panel-head">
        <h2 className="label">Journal</h2>
        <div className="switcher" role="group" aria-label="How many lines">
          {LINES.map((n) => (
            <button key={n} type="button" aria-pressed={n === lines} onClick={() => setLines(n)}>
              {n}
            </button>
          ))}
        </div>
        <Button
          small
          look="ghost"
          busy={query.loading}
          icon={<RotateCw size={14} />}
          onClick={query.again}
        >
          Read again
        </Button>
      </header>
      {query.error && <ErrorNote onRetry={query.again}>{query.error}</ErrorNote>}
      {query.data?.lines.length === 0 && (
        <Empty title="Its journal is empty">The harness has written nothing yet.</Empty>
      )}
      {query.data && query.data.lines.length > 0 && (
        // Keyboards scroll it like any other text.
        <pre className="code" tabIndex={0} aria-label={`Journal of ${name}`}>
          {query.data.lines.map((line, at) => (
            // Lines have no identity of their own; a new answer replaces them all.
            <Line key={at} line={journalLine(line)} />
          ))}
        </pre>
      )}
    </section>
  );
}

function Line({ line }: { line: JournalLine }): ReactNode {
  return (
    <code className={`journal-${line.level}`}>
      {line.time && <span className="quiet">{line.time} </span>}
      <span className="journal-level">{line.level === 'plain' ? '' : `${line.level} `}</span>
      {line.text}
      {line.more && <span className="quiet"> {line.more}</span>}
    </code>
  );
}
