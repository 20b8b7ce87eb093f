import { useState, type ReactNode } from 'react';

import type { DashboardAnswers } from '#libs/protocol';

import { Button } from '../../design/button.js';
import { ErrorNote } from '../../design/error-note.js';
import { callApi, errorText } from '../../hive/http.js';
import { withTurnEvents } from '../../hive/rows.js';
import { mergeRows } from '../../hive/store.js';

/** Takes the events of some turns into the rows. */
export function mergeTurnEvents({ events }: DashboardAnswers['events']): void {
  const byTurn = Map.groupBy(events, ({ turn_id: turn }) => turn);
  mergeRows((rows) => {
    let merged = rows;
    for (const [turn, list] of byTurn) {
      merged = withTurnEvents(
        merged,
        turn,
        list.map(({ event }) => event),
      );
    }
    return merged;
  });
}

/** Reads what happened in an older turn when somebody wants to see it. */
export function ReadEvents({ agent, turnId }: { agent: string; turnId: string }): ReactNode {
  const [state, setState] = useState<{ busy?: boolean; error?: string; none?: boolean }>({});
  const read = async (): Promise<void> => {
    setState({ busy: true });
    try {
      const query = new URLSearchParams({ turn_id: turnId, limit: '1000' });
      const answer = await callApi<DashboardAnswers['events']>(
        'GET',
        `/api/agents/${encodeURIComponent(agent)}/events?${query.toString()}`,
      );
      mergeTurnEvents(answer);
      setState({ none: answer.events.length === 0 });
    } catch (error) {
      setState({ error: errorText(error) });
    }
  };
  if (state.none) return <p className="row note read-events">nothing of it is kept</p>;
  if (state.error) return <ErrorNote onRetry={() => void read()}>{state.error}</ErrorNote>;
  return (
    <Button
      small
      look="ghost"
      className="read-events"
      busy={state.busy ?? false}
      onClick={() => void read()}
    >
      What it did
    </Button>
  );
}
