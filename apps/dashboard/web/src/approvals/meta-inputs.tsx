import { ArrowUp } from 'lucide-react';
import type { ReactNode } from 'react';

import type { MetaInput } from '#libs/protocol';

import { Ago } from '../design/ago.js';
import { Button } from '../design/button.js';
import { useAction } from '../hive/actions.js';
import { INPUTS_KEY, updateInput } from '../hive/approval-actions.js';
import { useHive } from '../hive/store.js';
import { ActionError } from '../shell/action-error.js';

/** What the deployed state of the swarm is built from, and whether something newer is there. */
export function MetaInputs(): ReactNode {
  const { list } = useHive((store) => store.rows.meta_inputs);
  if (list.length === 0) return null;
  return (
    <section className="panel" aria-labelledby="meta-inputs">
      <header className="panel-head">
        <h2 className="label" id="meta-inputs">
          Inputs
        </h2>
      </header>
      <ul>
        {list.map((input) => (
          <Input key={input.name} input={input} />
        ))}
      </ul>
      <ActionError of={INPUTS_KEY} />
    </section>
  );
}

function Input({
  input: { name, rev, newest, url, updated_at: at },
}: {
  input: MetaInput;
}): ReactNode {
  const isBusy = useAction(INPUTS_KEY)?.state === 'running';
  const isOld = newest !== null && newest !== rev;
  return (
    <li className="history-entry" data-input={name}>
      <div className="history-head">
        <b className="mono">{name}</b>
        <span className="chip" title={rev}>
          {rev.slice(0, 12)}
        </span>
        <span className="quiet">{url}</span>
        <span className="quiet">
          <Ago at={at} suffix=" ago" />
        </span>
        {isOld && (
          <Button
            small
            busy={isBusy}
            icon={<ArrowUp size={13} />}
            aria-label={`Update ${name} to ${newest}`}
            onClick={() => void updateInput(name)}
          >
            Update to {newest.slice(0, 12)}
          </Button>
        )}
      </div>
    </li>
  );
}
