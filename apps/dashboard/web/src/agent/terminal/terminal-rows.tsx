import type { ReactNode } from 'react';

import type { TurnEvent } from '#libs/protocol';

import { Cell } from '../../design/cell.js';
import { LinkedText } from '../../design/linked-text.js';
import { called, plural } from '../../hive/words.js';
import type { DiffLine } from './line-diff.js';
import type { ToolPair } from './pairs.js';
import { promptHint, promptMessages } from './prompt-text.js';
import { readsMessages, toolView } from './tool-view.js';

/** A row of the terminal: a sign in the one prefix column, then its text with a hanging indent. */
export function Row({
  sign,
  look,
  children,
}: {
  sign: string;
  look: string;
  children: ReactNode;
}): ReactNode {
  return (
    <div className={`row ${look}`}>
      <span className="row-sign" aria-hidden>
        {sign}
      </span>
      <div className="row-text">{children}</div>
    </div>
  );
}

/** A row whose rest is folded behind its headline. */
function Fold({
  sign,
  look,
  head,
  open = false,
  children,
}: {
  sign: string;
  look: string;
  head: ReactNode;
  open?: boolean;
  children: ReactNode;
}): ReactNode {
  return (
    <details className={`row fold ${look}`} open={open}>
      <summary>
        <span className="row-sign" aria-hidden>
          {sign}
        </span>
        <span className="row-text">{head}</span>
      </summary>
      <div className="fold-body">{children}</div>
    </details>
  );
}

export function EventRow({ row }: { row: TurnEvent | ToolPair }): ReactNode {
  if ('use' in row) return <Tool pair={row} />;
  const { text = '' } = row;
  switch (row.kind) {
    case 'prompt':
      return <Prompt text={text} />;
    case 'text':
      return (
        <Row sign=" " look="said prose">
          <LinkedText text={text} />
        </Row>
      );
    case 'thinking':
      return <Thinking text={text} />;
    case 'tool_use':
      return <Tool pair={{ use: row }} />;
    case 'tool_result':
      return <Result event={row} />;
    case 'note':
      return (
        <Row sign="·" look="note prose">
          {text}
        </Row>
      );
    case 'stderr':
      return (
        <Row sign="!" look="stderr prose">
          {text}
        </Row>
      );
    case 'raw':
      return <Unknown event={row} />;
    default:
      return <Unknown event={row} />;
  }
}

function Prompt({ text }: { text: string }): ReactNode {
  const messages = promptMessages(text);
  const hint = promptHint(text);
  if (messages.length === 0) {
    return (
      <Row sign=" " look="prompt prose">
        {text}
      </Row>
    );
  }
  return (
    <>
      {messages.map((message) => (
        <Row key={message.id} sign=" " look="prompt">
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
      ))}
      {hint && (
        <Row sign=" " look="prompt note">
          {hint}
        </Row>
      )}
      <Fold sign=" " look="whole-prompt" head="the prompt as it was sent">
        <pre className="prose">{text}</pre>
      </Fold>
    </>
  );
}

const LONGEST_THOUGHT = 280;

function Thinking({ text }: { text: string }): ReactNode {
  if (text.length <= LONGEST_THOUGHT) {
    return (
      <Row sign="·" look="thinking prose">
        {text || 'thinking'}
      </Row>
    );
  }
  return (
    <Fold sign="·" look="thinking" head={<span className="fold-head">{headline(text)}</span>}>
      <div className="prose">{text}</div>
    </Fold>
  );
}

function Tool({ pair: { use, result } }: { pair: ToolPair }): ReactNode {
  const view = toolView(use.tool ?? 'tool', use.input);
  const head = (
    <>
      <b className="tool-name">{view.name}</b> <span className="tool-about">{view.about}</span>
      {!result && <span className="tool-runs" role="status" aria-label="runs" />}
    </>
  );
  return (
    <>
      {view.body ? (
        <Fold sign="→" look="tool" head={head} {...(view.open ? { open: true } : {})}>
          {view.body.kind === 'diff' ? (
            <Diff lines={view.body.lines} />
          ) : (
            <div className="prose">
              <LinkedText text={view.body.text} />
            </div>
          )}
        </Fold>
      ) : (
        <Row sign="→" look="tool">
          {head}
        </Row>
      )}
      {result && <Result event={{ ...result, tool: result.tool ?? use.tool ?? '' }} />}
    </>
  );
}

const LONGEST_INLINE = 120;

function Result({ event }: { event: TurnEvent }): ReactNode {
  const text = (event.text ?? '').trimEnd();
  const look = event.is_error ? 'result error' : 'result';
  if (text === '') return null;
  if (text.length <= LONGEST_INLINE && !text.includes('\n')) {
    return (
      <Row sign="←" look={look}>
        <LinkedText text={text} />
      </Row>
    );
  }
  return (
    <Fold
      sign="←"
      look={look}
      open={readsMessages(event.tool)}
      head={
        <span className="fold-head">
          {plural(text.split('\n').length, 'line')} · {headline(text)}
        </span>
      }
    >
      <div className="prose">
        <LinkedText text={text} />
      </div>
    </Fold>
  );
}

function Unknown({ event }: { event: TurnEvent }): ReactNode {
  const dump = event.text ?? JSON.stringify(event.input ?? event);
  return (
    <Fold sign="?" look="raw" head={<span className="fold-head">{headline(dump)}</span>}>
      <div className="prose">{dump}</div>
    </Fold>
  );
}

function Diff({ lines }: { lines: readonly DiffLine[] }): ReactNode {
  return (
    <div className="diff">
      {lines.map((line, at) => (
        // Lines have no identity of their own, and the list never changes.
        <div key={at} className={line.sign === '+' ? 'plus' : line.sign === '-' ? 'minus' : 'same'}>
          <span aria-hidden>{line.sign}</span>
          <span className="prose">{line.text}</span>
        </div>
      ))}
    </div>
  );
}

function headline(text: string): string {
  return text.trimStart().split('\n', 1)[0] ?? '';
}
