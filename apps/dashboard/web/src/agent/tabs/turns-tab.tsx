import './turns.css';
import { ChevronRight } from 'lucide-react';
import { Fragment, useState, type ReactNode } from 'react';

import type { DashboardAnswers, TurnRow } from '#libs/protocol';

import { Ago, Running } from '../../design/ago.js';
import { Button } from '../../design/button.js';
import { Empty } from '../../design/empty.js';
import { ErrorNote } from '../../design/error-note.js';
import { callApi, errorText } from '../../hive/http.js';
import { useQuery } from '../../hive/queries.js';
import { withTurns } from '../../hive/rows.js';
import { mergeRows } from '../../hive/store.js';
import {
  called,
  compactNumber,
  dollars,
  exactDuration,
  RESULT_WORDS,
  WAKE_WORDS,
} from '../../hive/words.js';
import { useTurns } from '../terminal/terminal.js';

/** Every turn with its telemetry, newest first. */
export function TurnsTab({ name }: { name: string }): ReactNode {
  const path = `/api/agents/${encodeURIComponent(name)}/turns`;
  const query = useQuery<DashboardAnswers['turns']>(`${path}?limit=100`, ({ turns }) =>
    mergeRows((rows) => withTurns(rows, turns)),
  );
  const turns = useTurns(name).toReversed();
  const [open, setOpen] = useState<string>();
  const [more, setMore] = useState<{ next?: string; busy?: boolean; error?: string }>();
  const next = more ? more.next : query.data?.next;
  const older = async (): Promise<void> => {
    if (!next) return;
    setMore({ next, busy: true });
    try {
      const page = await callApi<DashboardAnswers['turns']>(
        'GET',
        `${path}?limit=100&before=${encodeURIComponent(next)}`,
      );
      mergeRows((rows) => withTurns(rows, page.turns));
      setMore(page.next ? { next: page.next } : {});
    } catch (error) {
      setMore({ next, error: errorText(error) });
    }
  };
  if (query.error) return <ErrorNote onRetry={query.again}>{query.error}</ErrorNote>;
  if (turns.length === 0) {
    return query.loading ? (
      <div className="skeleton stats-skeleton" />
    ) : (
      <Empty title="No turn yet">
        Each turn leaves a row here: what it cost, and how it ended.
      </Empty>
    );
  }
  return (
    <div className="turns panel">
      <table>
        <thead>
          <tr>
            <th>
              <span className="only-spoken">Details</span>
            </th>
            <th>turn</th>
            <th>started</th>
            <th>woken by</th>
            <th>result</th>
            <th className="right">took</th>
            <th className="right">read</th>
            <th className="right">written</th>
            <th className="right">context</th>
            <th className="right">tools</th>
            <th className="right">cost</th>
          </tr>
        </thead>
        <tbody>
          {turns.map((turn) => (
            <Fragment key={turn.turn_id}>
              <TurnLine
                turn={turn}
                open={open === turn.turn_id}
                onOpen={() => setOpen(open === turn.turn_id ? undefined : turn.turn_id)}
              />
              {open === turn.turn_id && <TurnDetail turn={turn} />}
            </Fragment>
          ))}
        </tbody>
      </table>
      {more?.error && <ErrorNote onRetry={() => void older()}>{more.error}</ErrorNote>}
      {next && (
        <Button small look="ghost" busy={more?.busy ?? false} onClick={() => void older()}>
          Older turns
        </Button>
      )}
    </div>
  );
}

function readTokens(turn: TurnRow): number {
  return turn.input_tokens + turn.cache_read_input_tokens + turn.cache_creation_input_tokens;
}

function tone(turn: TurnRow): string {
  if (turn.result_kind === null) return 'busy';
  if (turn.result_kind === 'ok' || turn.result_kind === 'compacted') return 'ready';
  return turn.result_kind === 'cancelled' ? 'waiting' : 'broken';
}

function TurnLine({
  turn,
  open,
  onOpen,
}: {
  turn: TurnRow;
  open: boolean;
  onOpen: () => void;
}): ReactNode {
  return (
    <tr className={open ? 'turn-line open' : 'turn-line'}>
      <td>
        <button
          type="button"
          className="turn-open"
          aria-expanded={open}
          aria-label={`Details of turn ${turn.turn_id}`}
          onClick={onOpen}
        >
          <ChevronRight size={14} aria-hidden />
        </button>
      </td>
      <td>{turn.turn_id}</td>
      <td>
        <Ago at={turn.started_at} suffix=" ago" />
      </td>
      <td>
        {called(turn.wake_from)}
        {turn.wake_reason !== 'message' && turn.wake_reason !== 'operator' && (
          <span className="quiet"> ({WAKE_WORDS[turn.wake_reason]})</span>
        )}
      </td>
      <td>
        <span className={`mood ${tone(turn)}`}>
          {turn.result_kind === null ? 'runs' : RESULT_WORDS[turn.result_kind]}
        </span>
        {turn.attempt > 1 && <span className="quiet"> attempt {turn.attempt}</span>}
      </td>
      <td className="right">
        {turn.duration_ms === null ? (
          <Running since={turn.started_at} />
        ) : (
          exactDuration(turn.duration_ms)
        )}
      </td>
      <td className="right">{compactNumber(readTokens(turn))}</td>
      <td className="right">{compactNumber(turn.output_tokens)}</td>
      <td className="right">
        {turn.context_tokens === null ? '–' : compactNumber(turn.context_tokens)}
      </td>
      <td className="right">{turn.tool_call_count}</td>
      <td className="right">{turn.cost_usd === null ? '–' : dollars(turn.cost_usd)}</td>
    </tr>
  );
}

const COLUMNS = 11;

function TurnDetail({ turn }: { turn: TurnRow }): ReactNode {
  const tools = Object.entries(turn.tool_call_breakdown).sort(([, a], [, b]) => b - a);
  const facts: [string, ReactNode][] = [
    ['started', new Date(turn.started_at).toLocaleString()],
    ['model', turn.model ?? '–'],
    ['input tokens', turn.input_tokens],
    ['from the cache', turn.cache_read_input_tokens],
    ['into the cache', turn.cache_creation_input_tokens],
    ['output tokens', turn.output_tokens],
    ['context after it', turn.context_tokens ?? '–'],
    ['streamed', `${compactNumber(turn.bytes_streamed)} bytes`],
    ['attempt', turn.attempt],
    ['conversation', turn.thread_id ?? '–'],
    [
      `tools (${turn.tool_call_count})`,
      tools.map(([tool, n]) => `${tool} ${n}`).join(', ') || 'none',
    ],
  ];
  return (
    <tr className="turn-detail">
      <td colSpan={COLUMNS}>
        <dl>
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {turn.note && <p className="prose turn-detail-note">{turn.note}</p>}
      </td>
    </tr>
  );
}
