import '../../approvals/approvals.css';
import { useState, type ReactNode } from 'react';

import type { ConfigHistoryEntry, DashboardAnswers } from '#libs/protocol';

import { DiffView } from '../../approvals/diff-view.js';
import { Ago } from '../../design/ago.js';
import { Button } from '../../design/button.js';
import { ErrorNote } from '../../design/error-note.js';
import { useQuery } from '../../hive/queries.js';

const TONES: Record<ConfigHistoryEntry['state'], string> = {
  pending: 'waiting',
  approved: 'moving',
  building: 'moving',
  deployed: 'ready',
  denied: 'off',
  failed: 'broken',
};

/** Every commit that was submitted for the agent, newest first, how it fared, and what it would change. */
export function ConfigHistory({
  agent,
  history,
}: {
  agent: string;
  history: readonly ConfigHistoryEntry[];
}): ReactNode {
  return (
    <section className="panel" aria-labelledby="config-history">
      <header className="panel-head">
        <h2 className="label" id="config-history">
          History
        </h2>
      </header>
      <ul>
        {history.map((entry, at) => (
          <Entry key={entry.tag} agent={agent} entry={entry} before={deployedBefore(history, at)} />
        ))}
      </ul>
    </section>
  );
}

/** What ran when that commit was submitted. */
function deployedBefore(
  history: readonly ConfigHistoryEntry[],
  at: number,
): ConfigHistoryEntry | undefined {
  return history.slice(at + 1).find(({ state }) => state === 'deployed');
}

function Entry({
  agent,
  entry: { tag, sha, state, at, subject, note },
  before,
}: {
  agent: string;
  entry: ConfigHistoryEntry;
  before: ConfigHistoryEntry | undefined;
}): ReactNode {
  const [opened, setOpened] = useState(false);
  return (
    <li className="history-entry">
      <div className="history-head">
        <span className={`mood ${TONES[state]}`}>{state}</span>
        <b className="mono">{tag}</b>
        <span className="mono quiet" title={sha}>
          {sha.slice(0, 12)}
        </span>
        <span>{subject}</span>
        <span className="quiet">
          <Ago at={at} suffix=" ago" />
        </span>
        {before && (
          <Button
            small
            look="ghost"
            aria-expanded={opened}
            aria-label={`${opened ? 'Hide' : 'Show'} what ${tag} changes`}
            onClick={() => setOpened(!opened)}
          >
            {opened ? 'Hide' : 'Changes'}
          </Button>
        )}
      </div>
      {note !== '' && <p className="quiet approval-note">{note}</p>}
      {opened && before && <Changes agent={agent} from={before.sha} to={sha} />}
    </li>
  );
}

function Changes({ agent, from, to }: { agent: string; from: string; to: string }): ReactNode {
  const path = `/api/agents/${encodeURIComponent(agent)}/config/diff?from=${from}&to=${to}`;
  const query = useQuery<DashboardAnswers['config_diff']>(path);
  if (query.error) return <ErrorNote onRetry={query.again}>{query.error}</ErrorNote>;
  if (!query.data) return <div className="skeleton list-skeleton" />;
  return <DiffView diff={query.data} />;
}
