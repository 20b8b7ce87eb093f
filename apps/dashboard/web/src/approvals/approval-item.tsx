import { Check, X } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Link } from 'wouter';

import type { ApprovalRow, DashboardAnswers, DiffBase } from '#libs/protocol';

import { Ago } from '../design/ago.js';
import { announce } from '../design/announce.js';
import { Button } from '../design/button.js';
import { Cell } from '../design/cell.js';
import { Dialog } from '../design/dialog.js';
import { ErrorNote } from '../design/error-note.js';
import { LongText } from '../design/long-text.js';
import { useAction } from '../hive/actions.js';
import { approvalKey, approve, deny } from '../hive/approval-actions.js';
import { useQuery } from '../hive/queries.js';
import { ActionError } from '../shell/action-error.js';
import { DiffView } from './diff-view.js';

const REASON_CHARS = 2000;
const BASES: readonly { base: DiffBase; name: string; what: string }[] = [
  { base: 'running', name: 'What runs', what: 'what the agent runs now' },
  { base: 'approved', name: 'Last approved', what: 'what you approved last before it' },
  { base: 'queued', name: 'Queued before', what: 'what was asked for before it and still waits' },
  { base: 'none', name: 'Nothing', what: 'nothing: every file as it is' },
];

/** What an approval asks for, in words. */
export function wishOf({ kind, agent, inputs }: ApprovalRow): ReactNode {
  const name = <b className="mono">{agent ?? 'an agent'}</b>;
  switch (kind) {
    case 'apply_commit':
      return <>wants to deploy a commit to {name}</>;
    case 'spawn':
      return <>wants to make {name}</>;
    case 'init_config':
      return <>wants to begin the config of {name}</>;
    case 'update_meta_inputs':
      return <>wants to update {inputs.length === 0 ? 'all inputs' : inputs.join(', ')}</>;
    default:
      return kind satisfies never;
  }
}

/** One request that waits: who asks, what for, the diff against a base of choice, and the decision. */
export function ApprovalItem({ approval }: { approval: ApprovalRow }): ReactNode {
  const { id, agent, kind, requested_by: by, requested_at: at, description } = approval;
  return (
    <li className="approval" id={id} data-approval={id}>
      <Cell name={agent ?? by} size={30} />
      <article aria-label={`${by} asks for approval ${id}`}>
        <header className="approval-head">
          <h3>
            <Link href={`/agents/${by}`} className="mono">
              {by}
            </Link>{' '}
            <span className="approval-wish">{wishOf(approval)}</span>
          </h3>
          <span className="quiet approval-when">
            <span className="mono">{id}</span> · <Ago at={at} suffix=" ago" />
          </span>
        </header>
        {description !== '' && <LongText text={description} className="approval-why" />}
        {kind !== 'update_meta_inputs' && <Changes approval={approval} />}
        <Decision approval={approval} />
      </article>
    </li>
  );
}

/** The diff of the pinned commit; the base is the operator's choice. */
function Changes({ approval }: { approval: ApprovalRow }): ReactNode {
  const { id, sha, bases } = approval;
  const offered = BASES.filter(({ base }) => base === 'none' || bases[base] !== null);
  const [chosen, setChosen] = useState<DiffBase>(offered[0]?.base ?? 'none');
  const query = useQuery<DashboardAnswers['approval_detail']>(
    `/api/approvals/${id}?base=${chosen}`,
  );
  return (
    <div className="approval-changes">
      <div className="approval-bases">
        {sha !== null && (
          <span className="chip" title={sha}>
            {sha.slice(0, 12)}
          </span>
        )}
        {sha !== null && offered.length > 1 && (
          <fieldset>
            <legend>against</legend>
            {offered.map(({ base, name, what }) => (
              <label key={base} className="base-choice" title={`The diff against ${what}`}>
                <input
                  type="radio"
                  name={`base-${id}`}
                  value={base}
                  checked={chosen === base}
                  onChange={() => setChosen(base)}
                />
                <span>{name}</span>
              </label>
            ))}
          </fieldset>
        )}
      </div>
      {query.error && <ErrorNote onRetry={query.again}>{query.error}</ErrorNote>}
      {query.loading && (
        <div className="skeleton list-skeleton" role="status" aria-label="Reading the diff" />
      )}
      {query.data && <DiffView diff={query.data.diff} />}
    </div>
  );
}

function Decision({ approval }: { approval: ApprovalRow }): ReactNode {
  const { id, sha } = approval;
  const [denies, setDenies] = useState(false);
  const key = approvalKey(id);
  const isBusy = useAction(key)?.state === 'running';
  return (
    <footer className="approval-foot">
      <Button
        look="primary"
        busy={isBusy}
        icon={<Check size={15} />}
        aria-label={`Approve ${id}`}
        onClick={() => {
          void approve(id, sha).then((done) => {
            if (done) announce(`${id} is approved.`);
            return undefined;
          });
        }}
      >
        Approve{sha !== null && <span className="mono"> {sha.slice(0, 8)}</span>}
      </Button>
      <Button
        off={isBusy}
        icon={<X size={15} />}
        aria-label={`Deny ${id}`}
        onClick={() => setDenies(true)}
      >
        Deny…
      </Button>
      <ActionError of={key} />
      {denies && <DenyDialog approval={approval} onClose={() => setDenies(false)} />}
    </footer>
  );
}

function DenyDialog({
  approval: { id, requested_by: by },
  onClose,
}: {
  approval: ApprovalRow;
  onClose: () => void;
}): ReactNode {
  const [reason, setReason] = useState('');
  return (
    <Dialog title={`Deny ${id}?`} onClose={onClose}>
      <form
        className="deny-form"
        onSubmit={(event) => {
          event.preventDefault();
          void deny(id, reason).then((done) => {
            if (done) announce(`${id} is denied.`);
            return undefined;
          });
          onClose();
        }}
      >
        <label>
          <span className="label">Why (optional)</span>
          <textarea
            rows={4}
            maxLength={REASON_CHARS}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </label>
        <p className="quiet">{by} is told the reason; the tree stays in the history.</p>
        <div className="dialog-foot">
          <Button onClick={onClose}>Keep waiting</Button>
          <Button look="danger" type="submit">
            Deny
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const TONES: Record<ApprovalRow['state'], string> = {
  pending: 'waiting',
  approved: 'moving',
  building: 'moving',
  deployed: 'ready',
  denied: 'off',
  failed: 'broken',
};

/** One that was decided, with what became of it. */
export function DecidedApproval({ approval }: { approval: ApprovalRow }): ReactNode {
  const { id, agent, state, requested_by: by, sha, reason, error } = approval;
  return (
    <li className="approval decided" id={id} data-approval={id}>
      <Cell name={agent ?? by} size={22} />
      <article aria-label={`Approval ${id}`}>
        <header className="approval-head">
          <span className={`mood ${TONES[state]}`}>{state}</span>
          <span className="approval-wish">
            {by} {wishOf(approval)}
          </span>
          {sha !== null && <span className="mono quiet">{sha.slice(0, 12)}</span>}
          <span className="quiet approval-when">
            <span className="mono">{id}</span> ·{' '}
            <Ago
              at={approval.resolved_at ?? approval.decided_at ?? approval.requested_at}
              suffix=" ago"
            />
          </span>
        </header>
        {reason !== null && <p className="quiet approval-note">{reason}</p>}
        {error !== null && <p className="operation-error approval-note">{error}</p>}
        <ActionError of={approvalKey(id)} />
      </article>
    </li>
  );
}
