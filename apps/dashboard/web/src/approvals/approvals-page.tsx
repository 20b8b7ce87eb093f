import './approvals.css';
import { useMemo, type ReactNode } from 'react';

import { Button } from '../design/button.js';
import { Empty } from '../design/empty.js';
import { ErrorNote } from '../design/error-note.js';
import { useApprovals } from '../hive/approval-actions.js';
import { usePages } from '../hive/pages.js';
import { withApprovals } from '../hive/rows.js';
import { mergeRows } from '../hive/store.js';
import { AgentFilter, useAgentFilter } from '../shell/agent-filter.js';
import { ApprovalItem, DecidedApproval } from './approval-item.js';
import { MetaInputs } from './meta-inputs.js';

const PAGE = 50;

/** What only the operator decides: what waits first, oldest first, then what was decided and what became of it. */
export function Approvals(): ReactNode {
  const agent = useAgentFilter();
  const all = useApprovals();
  const { waiting, decided } = useMemo(() => {
    const shown = all.filter((row) => agent === undefined || row.agent === agent);
    return {
      waiting: shown.filter(({ state }) => state === 'pending').toReversed(),
      decided: shown.filter(({ state }) => state !== 'pending'),
    };
  }, [all, agent]);
  const filter = agent === undefined ? '' : `&agent=${encodeURIComponent(agent)}`;
  const pages = usePages('approvals', `limit=${PAGE}${filter}`, ({ approvals }) =>
    mergeRows((rows) => withApprovals(rows, approvals)),
  );
  return (
    <main className="page approvals">
      <header className="page-head">
        <div>
          <h1>Approvals</h1>
          <p className="page-sum nums">
            <span>
              <b>{waiting.length}</b> {waiting.length === 1 ? 'waits' : 'wait'} for you
            </span>
          </p>
        </div>
        {agent !== undefined && <AgentFilter agent={agent} path="/approvals" />}
      </header>
      <section className="panel" aria-labelledby="approvals-waiting">
        <header className="panel-head">
          <h2 className="label" id="approvals-waiting">
            Waiting
          </h2>
        </header>
        {waiting.length === 0 ? (
          <Empty title="Nothing waits for your approval">
            When the manager wants to make an agent or change a configuration it asks here, with the
            commit that would run. Nothing of it happens before you approve.
          </Empty>
        ) : (
          <ul>
            {waiting.map((approval) => (
              <ApprovalItem key={approval.id} approval={approval} />
            ))}
          </ul>
        )}
      </section>
      <section className="panel" aria-labelledby="approvals-decided">
        <header className="panel-head">
          <h2 className="label" id="approvals-decided">
            Decided
          </h2>
        </header>
        {decided.length === 0 && !pages.loading && !pages.error && (
          <p className="quiet panel-none">Nothing was approved or denied yet.</p>
        )}
        <ul>
          {decided.map((approval) => (
            <DecidedApproval key={approval.id} approval={approval} />
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
            Older ones
          </Button>
        )}
      </section>
      <MetaInputs />
    </main>
  );
}
