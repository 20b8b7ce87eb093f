import { AGENT_MARK_VARIABLE } from '#libs/protocol';

import { environmentOf, ProcessScan } from '../containers/process/process-table.js';

export { environmentOf };

/** Process ids of all that live with that mark. */
export function livingWithMark(mark: string): number[] {
  const scan = new ProcessScan(AGENT_MARK_VARIABLE);
  return scan.living.filter(({ pid }) => scan.mark(pid) === mark).map(({ pid }) => pid);
}

/** Process ids of all agents' programs that live and belong to the hive in that folder: those that lead a session. */
export function livingBelow(home: string): number[] {
  const scan = new ProcessScan(AGENT_MARK_VARIABLE);
  return scan.living
    .filter(({ pid, session }) => pid === session && scan.mark(pid) !== undefined)
    .filter(({ pid }) => environmentOf(pid, 'HIVE_STATE_DIR')?.startsWith(`${home}/`))
    .map(({ pid }) => pid);
}
