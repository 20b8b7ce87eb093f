import 'uplot/dist/uPlot.min.css';
import './plot.css';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import uPlot from 'uplot';

export interface PlotSeries {
  label: string;
  values: (number | null)[];
  /** Name of a design token: `--honey-deep`. */
  color: string;
  look: 'line' | 'bar';
}

/** A plot of series over time; the same numbers stand in a table that can be folded out. */
export interface PlotProps {
  title: string;
  /** Seconds since 1970, in order. */
  at: number[];
  from: number;
  to: number;
  series: PlotSeries[];
  /** Only whole numbers make sense on its scale. */
  whole?: boolean;
  /** Bars stand on each other instead of behind each other. */
  stacked?: boolean;
  format: (value: number) => string;
}

const HEIGHT = 168;
const WHOLE_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

/** The token's colour as it is in the present theme: canvases do not know tokens. */
function colorOf(token: string, within: HTMLElement): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${token})`;
  within.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function useThemeChanges(): number {
  const [round, setRound] = useState(0);
  useEffect(() => {
    const changed = (): void => setRound((n) => n + 1);
    const query = matchMedia('(prefers-color-scheme: dark)');
    query.addEventListener('change', changed);
    addEventListener('hive-theme', changed);
    return () => {
      query.removeEventListener('change', changed);
      removeEventListener('hive-theme', changed);
    };
  }, []);
  return round;
}

/** Sums up from the last series to the first, so that the first is drawn highest and the others before it. */
function stack(series: readonly PlotSeries[]): (number | null)[][] {
  const sums: (number | null)[][] = [];
  for (const { values } of series.toReversed()) {
    const below = sums[0];
    sums.unshift(values.map((value, at) => (value ?? 0) + (below?.[at] ?? 0)));
  }
  return sums;
}

function options(
  { series, from, to, format, whole }: PlotProps,
  box: HTMLElement,
  data: (number | null)[][],
): uPlot.Options {
  const axis = {
    stroke: colorOf('--ink-3', box),
    font: '11px "JetBrains Mono Variable", monospace',
    grid: { stroke: colorOf('--line-soft', box), width: 1 },
    ticks: { show: false },
  };
  const highest = Math.max(0, ...data.flat().map((value) => value ?? 0));
  return {
    width: box.clientWidth,
    height: HEIGHT,
    padding: [10, 6, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 } },
    scales: {
      x: { time: true, range: () => [from, to] },
      y: { range: () => [0, highest === 0 ? 1 : highest * 1.08] },
    },
    axes: [
      {
        ...axis,
        space: 70,
        size: 30,
        grid: { show: false },
        values: (_plot, ticks) => ticks.map((tick) => tickText(tick, to - from)),
      },
      {
        ...axis,
        size: 58,
        ...(whole ? { incrs: WHOLE_STEPS } : {}),
        // A plot of nothing has no scale, only its zero.
        values: (_plot, ticks) =>
          ticks.map((tick) => (highest === 0 && tick > 0 ? '' : format(tick))),
      },
    ],
    series: [
      {},
      ...series.map((one): uPlot.Series => {
        const color = colorOf(one.color, box);
        return one.look === 'bar'
          ? {
              label: one.label,
              stroke: color,
              fill: color,
              width: 0,
              points: { show: false },
              ...bars(),
            }
          : { label: one.label, stroke: color, width: 1.8, spanGaps: true, points: { size: 6 } };
      }),
    ],
  };
}

function bars(): Partial<uPlot.Series> {
  const paths = uPlot.paths.bars?.({ size: [0.72, 26], radius: 0.18 });
  return paths ? { paths } : {};
}

export function Plot(props: PlotProps): ReactNode {
  const { title, at, series, format } = props;
  const ref = useRef<HTMLDivElement>(null);
  const [hover, setHover] = useState<number | null>(null);
  const theme = useThemeChanges();

  useEffect(() => {
    const box = ref.current;
    if (!box) return undefined;
    const values = props.stacked ? stack(props.series) : props.series.map((one) => one.values);
    const plot = new uPlot(
      {
        ...options(props, box, values),
        hooks: { setCursor: [({ cursor }) => setHover(cursor.idx ?? null)] },
      },
      [props.at, ...values],
      box,
    );
    const observer = new ResizeObserver(() =>
      plot.setSize({ width: box.clientWidth, height: HEIGHT }),
    );
    observer.observe(box);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [props, theme]);

  return (
    <figure className="panel plot">
      <figcaption>
        <h2 className="label">{title}</h2>
        <ul className="plot-legend">
          {series.map(({ label, color, values }) => {
            const value = hover === null ? undefined : values[hover];
            return (
              <li key={label}>
                <i style={{ background: `var(${color})` }} />
                {label}
                {value !== undefined && value !== null && <b className="nums">{format(value)}</b>}
              </li>
            );
          })}
          {hover !== null && at[hover] !== undefined && (
            <li className="quiet nums">{timeText(at[hover])}</li>
          )}
        </ul>
      </figcaption>
      <div ref={ref} className="plot-box" aria-hidden />
      <details className="plot-table">
        <summary>As a table</summary>
        <table>
          <thead>
            <tr>
              <th>from</th>
              {series.map(({ label }) => (
                <th key={label}>{label}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {at.map((second, index) => (
              <tr key={second}>
                <td>{timeText(second)}</td>
                {series.map(({ label, values }) => {
                  const value = values[index];
                  return (
                    <td key={label}>
                      {value === null || value === undefined ? '–' : format(value)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

const TWO_DAYS = 2 * 86_400;

/** A tick as the hour within a day, or as the day within weeks. */
function tickText(second: number, span: number): string {
  const date = new Date(second * 1000);
  return span <= TWO_DAYS
    ? date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
    : date.toLocaleDateString(undefined, { month: 'short', day: 'numeric' });
}

function timeText(second: number): string {
  return new Date(second * 1000).toLocaleString(undefined, {
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
}
