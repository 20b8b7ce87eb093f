import { LoaderCircle, PenLine, RotateCw, Trash2 } from 'lucide-react';
import type { ReactNode } from 'react';

import { Button } from '../design/button.js';
import { Cell } from '../design/cell.js';
import { ErrorNote } from '../design/error-note.js';
import { discard, resend, type Outgoing } from '../hive/outbox.js';
import { calledAll } from '../hive/recipients.js';

/** A message of the operator that the hive does not show yet: on its way, or failed with the reason. */
export function OutgoingItem({
  message,
  onEdit,
}: {
  message: Outgoing;
  onEdit?: (message: Outgoing) => void;
}): ReactNode {
  const failed = message.state === 'failed';
  return (
    <li className={failed ? 'message mine failed' : 'message mine sending'}>
      <Cell name="operator" size={30} />
      <article className="message-card">
        <header className="message-head">
          <span className="mono message-way">
            <b>you</b> <span className="quiet">→</span> <b>{calledAll(message.to)}</b>
          </span>
          <span className="message-when quiet">
            {failed ? 'not sent' : 'sending'}
            {!failed && <LoaderCircle className="spinner" aria-hidden />}
          </span>
        </header>
        <p className="prose message-body">{message.body}</p>
        {failed && (
          <>
            <ErrorNote>{message.error}</ErrorNote>
            <footer className="message-foot end">
              <Button
                small
                look="ghost"
                icon={<Trash2 size={13} />}
                onClick={() => discard(message)}
              >
                Discard
              </Button>
              {onEdit && (
                <Button
                  small
                  look="ghost"
                  icon={<PenLine size={13} />}
                  onClick={() => {
                    discard(message);
                    onEdit(message);
                  }}
                >
                  Edit
                </Button>
              )}
              <Button small icon={<RotateCw size={13} />} onClick={() => void resend(message)}>
                Send again
              </Button>
            </footer>
          </>
        )}
      </article>
    </li>
  );
}
