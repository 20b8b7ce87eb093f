/** One line of the report. */
export interface ResultRow {
  /** Number of the target in the performance goals, or `memory`. */
  target: string;
  what: string;
  value: number;
  unit: string;
  /** What it is measured against, in the same run. */
  yardstick?: { name: string; value: number; unit: string };
  /** value / yardstick, or the value itself where the goal is absolute. */
  ratio?: number;
  /** The goal: at least or at most this ratio, or this value where there is no yardstick. */
  goal?: { at: 'least' | 'most'; value: number };
  /** What was not measured, and why; such a row has no value. */
  missing?: string;
  /** The single measurements behind the value. */
  runs?: number[];
}

/** Whether the goal is met; undefined when there is none. */
export function isMet({ goal, ratio, value, missing }: ResultRow): boolean | undefined {
  if (!goal || missing !== undefined) return undefined;
  const reached = ratio ?? value;
  return goal.at === 'least' ? reached >= goal.value : reached <= goal.value;
}

/** The rows as a table for a terminal. */
export function toTable(rows: readonly ResultRow[]): string {
  const head = ['#', 'measured', 'result', 'yardstick of the same run', 'ratio', 'goal', 'met'];
  const cells = rows.map((row) => [
    row.target,
    row.what,
    row.missing ?? amount(row.value, row.unit),
    row.yardstick ? `${row.yardstick.name} ${amount(row.yardstick.value, row.yardstick.unit)}` : '',
    row.ratio === undefined ? '' : `${short(row.ratio)} ×`,
    row.goal
      ? `${row.goal.at === 'least' ? '≥' : '≤'} ${short(row.goal.value)}${row.yardstick ? ' ×' : ''}`
      : '',
    { true: 'yes', false: 'no', undefined: '' }[
      String(isMet(row)) as 'true' | 'false' | 'undefined'
    ],
  ]);
  const widths = head.map((title, i) =>
    Math.max(title.length, ...cells.map((line) => line[i]?.length ?? 0)),
  );
  const line = (parts: readonly string[]) =>
    parts
      .map((part, i) => part.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...cells.map(line)].join(
    '\n',
  );
}

function amount(value: number, unit: string): string {
  return `${short(value)} ${unit}`;
}

/** Three significant digits, thousands whole. */
function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
