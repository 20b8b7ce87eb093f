import { environmentOf, ProcessScan } from '../containers/process/process-table.js';
import { MARK_VARIABLE } from '../containers/process/process.driver.js';

export { environmentOf };

/** Process ids of all that live with that mark. */
export function livingWithMark(mark: string): number[] {
  const scan = new ProcessScan(MARK_VARIABLE);
  return scan.living.filter(({ pid }) => scan.mark(pid) === mark).map(({ pid }) => pid);
}
