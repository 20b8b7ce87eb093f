import './operations.css';
import { Hammer, RotateCw } from 'lucide-react';
import { useMemo, useState, type ReactNode } from 'react';
import { Link } from 'wouter';

import type { OperationRow } from '#libs/protocol';

import { Ago, Running } from '../design/ago.js';
import { Button } from '../design/button.js';
import { Confirm } from '../design/confirm.js';
import { Empty } from '../design/empty.js';
import { ErrorNote } from '../design/error-note.js';
import { changeAll, dismissAction, hiveKey, useAction } from '../hive/actions.js';
import { useHive } from '../hive/store.js';
import { exactDuration } from '../hive/words.js';
import { KeptState } from './kept-state.js';

const UNDER_WAY = new Set(['queued', 'running']);

/** What was asked of the hive's machine room: starts, stops, restarts, with who asked and how it went. */
export function Operations(): ReactNode {
  const operations = useHive((store) => store.rows.operations);
  const rows = useMemo(
    () =>
      Object.values(operations).sort(
        (a, b) =>
          Number(UNDER_WAY.has(b.state)) - Number(UNDER_WAY.has(a.state)) ||
          b.asked_at.localeCompare(a.asked_at),
      ),
    [operations],
  );
  return (
    <main className="page">
      <header className="page-head">
        <div>
          <h1>Operations</h1>
          <p className="page-sum">One at a time, newest first.</p>
        </div>
        <div className="operations-all">
          <AllAgents verb="restart-all" label="Restart all" icon={<RotateCw size={14} />} />
          <AllAgents verb="update-all" label="Rebuild all" icon={<Hammer size={14} />} />
        </div>
      </header>
      <section className="panel">
        {rows.length === 0 ? (
          <Empty title="Nothing was asked for yet">
            Spawning, starting, stopping and restarting agents shows up here, with who asked and how
            long it took.
          </Empty>
        ) : (
          <ul className="operations">
            {rows.map((row) => (
              <Operation key={row.id} row={row} />
            ))}
          </ul>
        )}
      </section>
      <KeptState />
    </main>
  );
}

/** A button for what is done to every agent that runs; it asks once. */
function AllAgents({
  verb,
  label,
  icon,
}: {
  verb: 'restart-all' | 'update-all';
  label: string;
  icon: ReactNode;
}): ReactNode {
  const [asks, setAsks] = useState(false);
  const action = useAction(hiveKey(verb));
  return (
    <>
      <Button icon={icon} busy={action?.state === 'running'} onClick={() => setAsks(true)}>
        {label}
      </Button>
      {action?.state === 'failed' && (
        <ErrorNote onDismiss={() => dismissAction(hiveKey(verb))}>{action.error}</ErrorNote>
      )}
      {asks && (
        <Confirm
          title={`${label}?`}
          verb={label}
          onConfirm={() => void changeAll(verb)}
          onClose={() => setAsks(false)}
        >
          Every agent that runs is ended and started again, the manager first and the others a few
          at a time. What a turn was given and did not finish comes again.
        </Confirm>
      )}
    </>
  );
}

const TONES: Record<OperationRow['state'], string> = {
  queued: 'off',
  running: 'moving',
  done: 'ready',
  failed: 'broken',
  cancelled: 'off',
};

function Operation({ row }: { row: OperationRow }): ReactNode {
  return (
    <li className="operation">
      <span className={`mood ${TONES[row.state]}`}>{row.state}</span>
      <div className="operation-what">
        <b className="mono">{row.kind}</b>{' '}
        {row.agent && (
          <Link href={`/agents/${row.agent}`} className="mono operation-agent">
            {row.agent}
          </Link>
        )}
        <p className="quiet">
          asked by {row.asked_by}
          {row.parent && `, a step of ${row.parent}`}
          {row.reason && `: ${row.reason}`}
        </p>
        {row.error && <p className="operation-error">{row.error}</p>}
      </div>
      <span className="operation-when quiet mono">
        <Took row={row} />
        <Ago at={row.asked_at} suffix=" ago" />
      </span>
    </li>
  );
}

function Took({ row }: { row: OperationRow }): ReactNode {
  if (row.started_at === null) return <span>waits</span>;
  if (row.ended_at === null) return <Running since={row.started_at} />;
  return (
    <span className="nums">
      {exactDuration(Date.parse(row.ended_at) - Date.parse(row.started_at))}
    </span>
  );
}
