import type { ReactNode } from 'react';

import type { TurnEvent } from '#libs/protocol';

import { Cell } from '../../design/cell.js';
import { LinkedText } from '../../design/linked-text.js';
import { called, plural } from '../../hive/words.js';
import type { PromptMessage } from './prompt-text.js';
import { resultView } from './result-text.js';
import { Fold, headline, Row } from './row.js';
import { readsMessages } from './tool-view.js';

/** A message that the agent read: in its wake prompt or by a tool. */
export function MessageRow({ message }: { message: PromptMessage }): ReactNode {
  return (
    <Row sign=" " look="prompt">
      <span className="prompt-from">
        <Cell name={message.from} size={16} />
        <b>{called(message.from)}</b>
        <span className="quiet">{message.id}</span>
        {message.redelivered && <span className="chip violet">redelivered</span>}
      </span>
      <span className="prose">
        <LinkedText text={message.body} />
      </span>
    </Row>
  );
}

/** What a tool gave back. */
export function Result({ event }: { event: TurnEvent }): ReactNode {
  const text = (event.text ?? '').trimEnd();
  const look = event.is_error ? 'result error' : 'result';
  if (text === '') return null;
  const view = resultView(text, readsMessages(event.tool));
  switch (view.kind) {
    case 'messages':
      return (
        <>
          {view.messages.map((message) => (
            <MessageRow key={message.id} message={message} />
          ))}
          <Row sign="←" look={look}>
            {view.messages.length === 0 && 'no message. '}
            {plural(view.pending, 'more waits', 'more wait')}
          </Row>
        </>
      );
    case 'line':
      return (
        <Row sign="←" look={look}>
          <LinkedText text={view.text} />
        </Row>
      );
    case 'text':
      return <LongResult text={view.text} look={look} open={readsMessages(event.tool)} />;
    default:
      return view satisfies never;
  }
}

function LongResult({
  text,
  look,
  open,
}: {
  text: string;
  look: string;
  open: boolean;
}): ReactNode {
  const lines = text.split('\n').length;
  return (
    <Fold
      sign="←"
      look={look}
      open={open}
      head={
        <span className="fold-head">
          {lines > 1 && `${lines} lines · `}
          {headline(text)}
        </span>
      }
    >
      <div className="prose">
        <LinkedText text={text} />
      </div>
    </Fold>
  );
}
