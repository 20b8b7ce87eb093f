import type { TurnEvent } from '#libs/protocol';

/** A tool call with its result, however far apart they came. */
export interface ToolPair {
  use: TurnEvent;
  result?: TurnEvent;
}

/** The events of a turn as they are shown: results join the calls that they belong to. */
export function paired(events: readonly TurnEvent[]): (TurnEvent | ToolPair)[] {
  const rows: (TurnEvent | ToolPair)[] = [];
  const open = new Map<string, ToolPair>();
  for (const event of events) {
    const pair = event.tool_use_id === undefined ? undefined : open.get(event.tool_use_id);
    if (event.kind === 'tool_result' && pair) pair.result = event;
    else if (event.kind === 'tool_use') {
      const use: ToolPair = { use: event };
      if (event.tool_use_id !== undefined) open.set(event.tool_use_id, use);
      rows.push(use);
    } else rows.push(event);
  }
  return rows;
}

/** True when both show the same: events never change, but a call gets its result. */
export function sameRow(a: TurnEvent | ToolPair, b: TurnEvent | ToolPair): boolean {
  if ('use' in a && 'use' in b) return a.use === b.use && a.result === b.result;
  return a === b;
}
