import { memo, useMemo, useState, type ReactNode } from 'react';

import type { TurnEvent, TurnRow } from '#libs/protocol';

import { Ago, Running } from '../../design/ago.js';
import { Button } from '../../design/button.js';
import {
  called,
  compactNumber,
  dollars,
  exactDuration,
  plural,
  RESULT_WORDS,
  WAKE_WORDS,
} from '../../hive/words.js';
import { paired } from './pairs.js';
import { EventRow } from './terminal-rows.js';

/** Rows of one turn that are drawn before somebody asks for all. */
const ROWS_SHOWN = 300;
const NO_EVENTS: readonly TurnEvent[] = [];

/** One turn in the terminal: who woke the agent, what it did, how it ended and what it cost. */
export const TurnBlock = memo(function TurnBlock({
  turn,
  events = NO_EVENTS,
  children,
}: {
  turn: TurnRow;
  events?: readonly TurnEvent[] | undefined;
  /** What stands where its events would. */
  children?: ReactNode;
}): ReactNode {
  const rows = useMemo(() => paired(events), [events]);
  const [all, setAll] = useState(false);
  const drawn = all ? rows : rows.slice(-ROWS_SHOWN);
  const live = turn.ended_at === null;
  return (
    <section
      className={live ? 'turn live-turn' : 'turn'}
      aria-label={`Turn ${turn.turn_id} from ${turn.wake_from}`}
      data-turn={turn.turn_id}
    >
      <header className="turn-head">
        <span className="row-sign" aria-hidden>
          ◆
        </span>
        <b>turn {turn.turn_id}</b>
        <span>
          ← <b>{called(turn.wake_from)}</b>
        </span>
        <span className="quiet">{WAKE_WORDS[turn.wake_reason]}</span>
        {turn.attempt > 1 && <span className="chip violet">attempt {turn.attempt}</span>}
        <span className="turn-when quiet">
          {live ? <Running since={turn.started_at} /> : <Ago at={turn.started_at} suffix=" ago" />}
        </span>
      </header>
      {rows.length > drawn.length && (
        <Button small look="ghost" onClick={() => setAll(true)}>
          {rows.length - drawn.length} earlier rows of this turn
        </Button>
      )}
      {drawn.map((row) => (
        <EventRow key={'use' in row ? row.use.n : row.n} row={row} />
      ))}
      {children}
      {live ? <Working hasEvents={rows.length > 0} /> : <TurnEnd turn={turn} />}
    </section>
  );
});

function Working({ hasEvents }: { hasEvents: boolean }): ReactNode {
  return (
    <div className="row working">
      <span className="row-sign" aria-hidden>
        <i />
      </span>
      <span className="row-text">{hasEvents ? 'at work' : 'starting'}</span>
    </div>
  );
}

/** What is good, what went wrong on its own account, and what was ended by somebody. */
const GOOD = new Set(['ok', 'compacted']);
const STOPPED = new Set(['cancelled', 'rate_limited', 'budget']);

function TurnEnd({ turn }: { turn: TurnRow }): ReactNode {
  const kind = turn.result_kind ?? 'failed';
  const look = GOOD.has(kind) ? 'good' : STOPPED.has(kind) ? 'stopped' : 'bad';
  const sign = { good: '✓', stopped: '■', bad: '✗' }[look];
  const read = turn.input_tokens + turn.cache_read_input_tokens + turn.cache_creation_input_tokens;
  return (
    <div className={`row turn-end ${look}`}>
      <span className="row-sign" aria-hidden>
        {sign}
      </span>
      <span className="row-text">
        <b>{RESULT_WORDS[kind]}</b>
        {turn.duration_ms !== null && <span>{exactDuration(turn.duration_ms)}</span>}
        {turn.tool_call_count > 0 && <span>{plural(turn.tool_call_count, 'tool call')}</span>}
        {read + turn.output_tokens > 0 && (
          <span title="Tokens read (cache included) and written">
            {compactNumber(read)} in, {compactNumber(turn.output_tokens)} out
          </span>
        )}
        {turn.cost_usd !== null && turn.cost_usd > 0 && <span>{dollars(turn.cost_usd)}</span>}
        {turn.note && <span className="turn-note prose">{turn.note}</span>}
      </span>
    </div>
  );
}
