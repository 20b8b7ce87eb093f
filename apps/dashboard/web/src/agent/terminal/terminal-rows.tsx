import { memo, type ReactNode } from 'react';

import type { TurnEvent } from '#libs/protocol';

import { LinkedText } from '../../design/linked-text.js';
import { Diff } from './diff.js';
import { sameRow, type ToolPair } from './pairs.js';
import { promptHint, promptMessages } from './prompt-text.js';
import { MessageRow, Result } from './result-rows.js';
import { Fold, headline, Row } from './row.js';
import { toolView } from './tool-view.js';

/** One event of a turn; drawn again only when it changed, however many come behind it. */
export const EventRow = memo(
  ({ row }: { row: TurnEvent | ToolPair }) => <AnyRow row={row} />,
  (before, after) => sameRow(before.row, after.row),
);

function AnyRow({ row }: { row: TurnEvent | ToolPair }): ReactNode {
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
        <MessageRow key={message.id} message={message} />
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

function Unknown({ event }: { event: TurnEvent }): ReactNode {
  const dump = event.text ?? JSON.stringify(event.input ?? event);
  return (
    <Fold sign="?" look="raw" head={<span className="fold-head">{headline(dump)}</span>}>
      <div className="prose">{dump}</div>
    </Fold>
  );
}
