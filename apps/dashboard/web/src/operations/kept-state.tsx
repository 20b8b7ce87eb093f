import { Flame, Sunrise } from 'lucide-react';
import { useMemo, useState, type ReactNode } from 'react';

import type { TombstoneRow } from '#libs/protocol';

import { Ago } from '../design/ago.js';
import { Button } from '../design/button.js';
import { Confirm } from '../design/confirm.js';
import { Empty } from '../design/empty.js';
import { ErrorNote } from '../design/error-note.js';
import { changeTombstone, dismissAction, tombstoneKey, useAction } from '../hive/actions.js';
import { useHive } from '../hive/store.js';

/** Destroyed agents whose state is kept: they can live again, or be removed for good. */
export function KeptState(): ReactNode {
  const tombstones = useHive((store) => store.rows.tombstones);
  const rows = useMemo(
    () => Object.values(tombstones).sort((a, b) => b.destroyed_at.localeCompare(a.destroyed_at)),
    [tombstones],
  );
  return (
    <section className="panel" aria-labelledby="kept-state">
      <header className="panel-head">
        <h2 className="label" id="kept-state">
          Kept state
        </h2>
      </header>
      {rows.length === 0 ? (
        <Empty title="Nothing is kept">
          The files of an agent that is destroyed stay here until you revive or purge it.
        </Empty>
      ) : (
        <ul className="operations">
          {rows.map((row) => (
            <Tombstone key={row.agent_id} row={row} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Tombstone({ row }: { row: TombstoneRow }): ReactNode {
  const [asks, setAsks] = useState(false);
  const revive = useAction(tombstoneKey(row.agent_id, 'revive'));
  const purge = useAction(tombstoneKey(row.agent_id, 'purge'));
  return (
    <li className="operation">
      <div className="operation-what">
        <b className="mono">{row.name}</b>
        <p className="quiet">
          {row.role}, {row.driver}, destroyed <Ago at={row.destroyed_at} suffix=" ago" />
        </p>
        {(['revive', 'purge'] as const).map((verb) => {
          const action = verb === 'revive' ? revive : purge;
          return action?.state === 'failed' ? (
            <ErrorNote key={verb} onDismiss={() => dismissAction(tombstoneKey(row.agent_id, verb))}>
              <b>{verb}:</b> {action.error}
            </ErrorNote>
          ) : null;
        })}
      </div>
      <span className="operation-when">
        <Button
          small
          busy={revive?.state === 'running'}
          icon={<Sunrise size={14} />}
          aria-label={`Revive ${row.name}`}
          onClick={() => void changeTombstone(row, 'revive')}
        >
          Revive
        </Button>
        <Button
          small
          look="danger"
          busy={purge?.state === 'running'}
          icon={<Flame size={14} />}
          aria-label={`Purge ${row.name}`}
          onClick={() => setAsks(true)}
        >
          Purge…
        </Button>
      </span>
      {asks && (
        <Confirm
          title={`Purge ${row.name}?`}
          verb={`Purge ${row.name}`}
          onConfirm={() => void changeTombstone(row, 'purge')}
          onClose={() => setAsks(false)}
        >
          All that is kept of it is removed for good: its state folder, its home, its configuration
          with its history. What still waits for it is dead, and its senders are told.
        </Confirm>
      )}
    </li>
  );
}
