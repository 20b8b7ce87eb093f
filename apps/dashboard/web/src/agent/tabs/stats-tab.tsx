import './stats.css';
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';

import type { AgentStats } from '#libs/protocol';

import { Empty } from '../../design/empty.js';
import { ErrorNote } from '../../design/error-note.js';
import { hiveNow } from '../../hive/http.js';
import { useQuery } from '../../hive/queries.js';
import { onHiveEvent } from '../../hive/store.js';
import {
  compactNumber,
  dollars,
  exactDuration,
  RESULT_WORDS,
  WAKE_WORDS,
} from '../../hive/words.js';
import { Plot, type PlotProps } from './plot.js';

const WINDOWS = [
  { window: '24h', seconds: 86_400 },
  { window: '7d', seconds: 7 * 86_400 },
  { window: '30d', seconds: 30 * 86_400 },
] as const;
type Window = (typeof WINDOWS)[number];
const BARS_ACROSS = 24;

/** Turns that end close to each other are read together, in milliseconds. */
const SETTLE_MS = 4000;

/** What an agent did and cost over a day, a week or a month. */
export default function StatsTab({ name }: { name: string }): ReactNode {
  const [chosen, setChosen] = useState<Window>(WINDOWS[0]);
  const query = useQuery<AgentStats>(
    `/api/agents/${encodeURIComponent(name)}/stats?window=${chosen.window}`,
  );
  useAgainAfterTurns(name, query.again);
  return (
    <div className="stats">
      <div className="switcher" role="group" aria-label="Over how long">
        {WINDOWS.map((window) => (
          <button
            key={window.window}
            type="button"
            aria-pressed={window === chosen}
            onClick={() => setChosen(window)}
          >
            {window.window}
          </button>
        ))}
      </div>
      {query.error && <ErrorNote onRetry={query.again}>{query.error}</ErrorNote>}
      {query.loading && <div className="skeleton stats-skeleton" />}
      {query.data?.turns === 0 && (
        <Empty title="No turn in this time">
          {name} has not worked in the last {chosen.window}, and has cost nothing.
        </Empty>
      )}
      {query.data && query.data.turns > 0 && <Stats stats={query.data} window={chosen} />}
    </div>
  );
}

/** Reads the figures again a little after a turn of this agent has ended. */
function useAgainAfterTurns(name: string, again: () => void): void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    const stop = onHiveEvent((event) => {
      if (event.kind !== 'turn_ended' || event.turn.agent !== name) return;
      timer.current ??= setTimeout(() => {
        timer.current = undefined;
        again();
      }, SETTLE_MS);
    });
    return () => {
      stop();
      clearTimeout(timer.current);
      timer.current = undefined;
    };
  }, [name, again]);
}

function Stats({ stats, window }: { stats: AgentStats; window: Window }): ReactNode {
  const plots = useMemo(() => plotsOf(stats, window), [stats, window]);
  const { tokens, cost_usd: cost } = stats;
  const read = tokens.input + tokens.cache_read + tokens.cache_creation;
  const cached = read === 0 ? 0 : tokens.cache_read / read;
  const ok = stats.result_mix.ok ?? 0;
  return (
    <>
      <dl className="tiles">
        <Tile name="turns" value={compactNumber(stats.turns)} />
        <Tile
          name="ended well"
          value={stats.turns === 0 ? '–' : `${Math.round((ok / stats.turns) * 100)}%`}
        />
        <Tile name="tokens read" value={compactNumber(read)} />
        <Tile name="of these cached" value={`${Math.round(cached * 100)}%`} />
        <Tile name="tokens written" value={compactNumber(tokens.output)} />
        <Tile name="cost" value={dollars(cost)} />
      </dl>
      <div className="plots">
        {plots.map((plot) => (
          <Plot key={plot.title} {...plot} />
        ))}
      </div>
      <div className="plots">
        <Histogram title="Tools" counts={stats.tools} none="No tool was called." />
        <div className="mixes">
          <Histogram title="Woken by" counts={stats.wake_mix} words={WAKE_WORDS} />
          <Histogram title="Results" counts={stats.result_mix} words={RESULT_WORDS} />
        </div>
      </div>
    </>
  );
}

function plotsOf({ by_bucket: buckets }: AgentStats, { seconds }: Window): PlotProps[] {
  const at = buckets.map((bucket) => Date.parse(bucket.at) / 1000);
  // Half a bar of air at both ends.
  const air = seconds / BARS_ACROSS / 2;
  const now = hiveNow() / 1000;
  const frame = { at, from: Math.min(at[0] ?? now, now - seconds) - air, to: now + air };
  return [
    {
      ...frame,
      title: 'Turns',
      whole: true,
      format: String,
      series: [
        {
          label: 'turns',
          values: buckets.map(({ turns }) => turns),
          color: '--honey-deep',
          look: 'bar',
        },
      ],
    },
    {
      ...frame,
      title: 'How long a turn took',
      format: exactDuration,
      series: [
        {
          label: 'half within',
          values: buckets.map(({ p50_ms: ms }) => ms),
          color: '--teal',
          look: 'line',
        },
        {
          label: '95% within',
          values: buckets.map(({ p95_ms: ms }) => ms),
          color: '--violet',
          look: 'line',
        },
      ],
    },
    {
      ...frame,
      title: 'Tokens',
      format: compactNumber,
      stacked: true,
      series: [
        {
          label: 'written',
          values: buckets.map(({ output_tokens: n }) => n),
          color: '--honey-deep',
          look: 'bar',
        },
        {
          label: 'read',
          values: buckets.map(({ input_tokens: n }) => n),
          color: '--teal',
          look: 'bar',
        },
      ],
    },
    {
      ...frame,
      title: 'Cost',
      format: dollars,
      series: [
        {
          label: 'cost',
          values: buckets.map(({ cost_usd: usd }) => usd),
          color: '--green',
          look: 'bar',
        },
      ],
    },
  ];
}

function Tile({ name, value }: { name: string; value: string }): ReactNode {
  return (
    <div className="panel tile">
      <dt>{name}</dt>
      <dd className="nums">{value}</dd>
    </div>
  );
}

function Histogram({
  title,
  counts,
  words = {},
  none = 'Nothing yet.',
}: {
  title: string;
  counts: Record<string, number>;
  words?: Record<string, string>;
  none?: string;
}): ReactNode {
  const rows = Object.entries(counts).sort(([, a], [, b]) => b - a);
  const most = rows[0]?.[1] ?? 1;
  return (
    <section className="panel histogram">
      <h2 className="label">{title}</h2>
      {rows.length === 0 && <p className="quiet">{none}</p>}
      <dl>
        {rows.map(([key, n]) => (
          <div key={key}>
            <dt className="mono clip" title={key}>
              {words[key] ?? key.replace(/^mcp__(.+?)__/, '$1·')}
            </dt>
            <dd className="nums mono">
              <i style={{ width: `${(n / most) * 100}%` }} aria-hidden />
              <span>{n}</span>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
