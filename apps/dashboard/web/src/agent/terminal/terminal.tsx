import './terminal.css';
import { useMemo, useState, type ReactNode } from 'react';

import type { DashboardAnswers, TurnRow } from '#libs/protocol';

import { EndPill } from '../../conversations/end-pill.js';
import { useStickyEnd } from '../../conversations/sticky.js';
import { Button } from '../../design/button.js';
import { Empty } from '../../design/empty.js';
import { ErrorNote } from '../../design/error-note.js';
import { useQuery } from '../../hive/queries.js';
import { idNumber, withTurns } from '../../hive/rows.js';
import { mergeRows, useHive } from '../../hive/store.js';
import { mergeTurnEvents, ReadEvents } from './read-events.js';
import { Row } from './row.js';
import { useTerminalNotes, type TerminalNote } from './terminal-notes.js';
import { TurnBlock } from './turn-block.js';
import { WaitingRows } from './waiting-rows.js';

/** Turns that are drawn at first and with each step back. */
const TURNS_SHOWN = 25;
/** Live events that are read back when the terminal opens: the most that the hive gives at once. */
const EVENTS_READ = 1000;

/** All turns of an agent that the page knows, oldest first. */
export function useTurns(name: string): TurnRow[] {
  const turns = useHive((store) => store.rows.turns);
  return useMemo(
    () =>
      Object.values(turns)
        .filter(({ agent }) => agent === name)
        .sort((a, b) => idNumber(a.turn_id) - idNumber(b.turn_id)),
    [turns, name],
  );
}

/** What an agent does, live: its turns as they run, with all that came before folded in behind. */
export function Terminal({ name }: { name: string }): ReactNode {
  const [shown, setShown] = useState(TURNS_SHOWN);
  const path = `/api/agents/${encodeURIComponent(name)}`;
  const turnsRead = useQuery<DashboardAnswers['turns']>(`${path}/turns?limit=100`, ({ turns }) =>
    mergeRows((rows) => withTurns(rows, turns)),
  );
  const eventsRead = useQuery<DashboardAnswers['events']>(
    `${path}/events?limit=${EVENTS_READ}`,
    mergeTurnEvents,
  );
  const turns = useTurns(name);
  const events = useHive((store) => store.rows.turn_events);
  const notes = useTerminalNotes(name);
  const drawn = turns.slice(-shown);
  const rows = useMemo(() => inOrder(drawn, notes), [drawn, notes]);
  const count = turns.reduce((sum, turn) => sum + 1 + (events[turn.turn_id]?.length ?? 0), 0);
  const sticky = useStickyEnd(count + notes.length);
  const error = turnsRead.error ?? eventsRead.error;

  return (
    <div className="terminal">
      {/* Keyboards scroll it like any other text. */}
      <div
        className="terminal-scroll"
        ref={sticky.ref}
        onScroll={sticky.onScroll}
        role="log"
        aria-label={`What ${name} does`}
        tabIndex={0}
      >
        <div className="terminal-inner">
          {eventsRead.loading && (
            <Row sign="·" look="note">
              reading what it did before
            </Row>
          )}
          {error && (
            <ErrorNote
              onRetry={() => {
                turnsRead.again();
                eventsRead.again();
              }}
            >
              {error}
            </ErrorNote>
          )}
          {turns.length > drawn.length && (
            <Button small look="ghost" onClick={() => setShown(shown + TURNS_SHOWN)}>
              {turns.length - drawn.length} earlier turns
            </Button>
          )}
          {turns.length === 0 && notes.length === 0 && !turnsRead.loading && !error && (
            <Empty title="No turn yet">
              Write to {name} below: the message wakes it, and its turn runs here before your eyes.
            </Empty>
          )}
          {rows.map((row) =>
            'turn_id' in row ? (
              <TurnBlock key={row.turn_id} turn={row} events={events[row.turn_id]}>
                {!events[row.turn_id] && row.ended_at !== null && !eventsRead.loading && (
                  <ReadEvents agent={name} turnId={row.turn_id} />
                )}
              </TurnBlock>
            ) : (
              <Row key={row.key} sign="⌁" look={`yours prose ${row.tone}`}>
                {row.text}
              </Row>
            ),
          )}
          <WaitingRows name={name} />
        </div>
      </div>
      <EndPill sticky={sticky} />
    </div>
  );
}

/** Turns and the operator's own notes by their time. */
function inOrder(
  turns: readonly TurnRow[],
  notes: readonly TerminalNote[],
): (TurnRow | TerminalNote)[] {
  return [...turns, ...notes].sort((a, b) => timeOf(a) - timeOf(b));
}

function timeOf(row: TurnRow | TerminalNote): number {
  return 'turn_id' in row ? Date.parse(row.started_at) : row.at;
}
