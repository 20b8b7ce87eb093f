import './code.css';
import type { ReactNode } from 'react';

import type { DashboardAnswers } from '#libs/protocol';

import { ErrorNote } from '../../design/error-note.js';
import { useQuery } from '../../hive/queries.js';
import { ConfigHistory } from './config-history.js';
import { yamlText } from './yaml-text.js';

/** The configuration that runs, with every default filled in. It is read again when another commit is deployed. */
export function ConfigTab({ name, sha }: { name: string; sha: string | null }): ReactNode {
  const query = useQuery<DashboardAnswers['config']>(
    `/api/agents/${encodeURIComponent(name)}/config`,
    undefined,
    sha,
  );
  if (query.error) return <ErrorNote onRetry={query.again}>{query.error}</ErrorNote>;
  if (!query.data) return <div className="skeleton stats-skeleton" />;
  return (
    <div className="config-parts">
      <section className="panel config">
        <header className="panel-head">
          <h2 className="label">agent.yaml, as it runs</h2>
          {sha && (
            <span className="chip" title={sha}>
              {sha.slice(0, 12)}
            </span>
          )}
        </header>
        {/* Keyboards scroll it like any other text. */}
        <pre className="code" tabIndex={0} aria-label="agent.yaml">
          {yamlText(query.data.config)
            .split('\n')
            .map((line, at) => (
              // Lines have no identity of their own, and the list never changes.
              <YamlLine key={at} line={line} />
            ))}
        </pre>
      </section>
      <ConfigHistory agent={name} history={query.data.history} />
    </div>
  );
}

function YamlLine({ line }: { line: string }): ReactNode {
  const match = /^(\s*)([\w."-]+)(:)(.*)$/.exec(line);
  if (!match) return <code>{line || ' '}</code>;
  const [, indent, key, colon, rest] = match;
  return (
    <code>
      {indent}
      <span className="code-key">{key}</span>
      {colon}
      {rest}
    </code>
  );
}
