import type { FaultRecord } from './killer.js';
import { percentile } from './time.js';
import type { Check } from './verdict.js';

/** Everything that a run found. Times are milliseconds. */
export interface CrashReport {
  seed: number;
  started_at: string;
  minutes: number;
  agents: number;
  passed: boolean;
  /** All numbers that must be 0. */
  checks: Check[];
  drained_after_ms: number | null;
  exit_code: number | null;
  facts: Record<string, number | null>;
  faults: FaultSummary[];
  left_out: { kind: string; why: string }[];
  /** Folder with logs, databases and notes of a run that failed. */
  evidence?: string;
}

/** The faults of one kind. Recovery runs from the fault until a message that was sent after it was shown. */
export interface FaultSummary {
  kind: string;
  count: number;
  recovery_p50_ms: number | null;
  recovery_p99_ms: number | null;
  /** The same from the end of the fault: when the process ran again, when the disk had room. */
  after_end_p99_ms: number | null;
  not_recovered: number;
}

export function summaries(faults: readonly FaultRecord[]): FaultSummary[] {
  const kinds = [...new Set(faults.map(({ kind }) => kind))].toSorted();
  return kinds.map((kind) => {
    const those = faults.filter((fault) => fault.kind === kind);
    const recovered = those.flatMap((fault) =>
      fault.recovered_ms === null ? [] : [{ ...fault, ms: fault.recovered_ms }],
    );
    const times = recovered.map(({ ms }) => ms);
    const afterEnd = recovered.map(({ ms, over_ms: over }) => Math.max(0, ms - over));
    return {
      kind,
      count: those.length,
      recovery_p50_ms: percentile(times, 0.5) ?? null,
      recovery_p99_ms: percentile(times, 0.99) ?? null,
      after_end_p99_ms: percentile(afterEnd, 0.99) ?? null,
      not_recovered: those.length - times.length,
    };
  });
}

/** For a terminal, and for docs/crash-test.md. */
export function toText(report: CrashReport): string {
  const { checks, facts, faults } = report;
  const total = faults.reduce((sum, { count }) => sum + count, 0);
  const drained =
    report.drained_after_ms === null ? 'NO' : `after ${seconds(report.drained_after_ms)}`;
  return [
    `seed ${report.seed}, ${report.agents} agents, ${report.minutes} minutes, ${total} faults, begun ${report.started_at}`,
    '',
    table(
      ['must be 0', 'found'],
      checks.map(({ what, count }) => [what, String(count)]),
    ),
    ...checks.flatMap(({ what, examples }) => examples.map((text) => `  ${what}: ${text}`)),
    '',
    table(
      ['counted', ''],
      Object.entries(facts).map(([what, count]) => [what, count === null ? '–' : String(count)]),
    ),
    '',
    table(
      ['fault', 'times', 'recovery p50', 'p99', 'p99 after its end', 'never'],
      faults.map((each) => [
        each.kind,
        String(each.count),
        seconds(each.recovery_p50_ms),
        seconds(each.recovery_p99_ms),
        seconds(each.after_end_p99_ms),
        String(each.not_recovered),
      ]),
    ),
    ...report.left_out.map(({ kind, why }) => `left out: ${kind} (${why})`),
    '',
    `drained: ${drained}; the hive stopped with exit code ${report.exit_code}`,
    ...(report.evidence === undefined ? [] : [`logs, databases and notes: ${report.evidence}`]),
    report.passed ? 'PASSED' : 'FAILED',
  ].join('\n');
}

function seconds(ms: number | null): string {
  return ms === null ? '–' : `${(ms / 1000).toFixed(2)} s`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join(
    '\n',
  );
}
