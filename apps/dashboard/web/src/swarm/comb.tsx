import './comb.css';
import { useEffect, useId, useMemo, useRef, type CSSProperties, type ReactNode } from 'react';
import { useLocation } from 'wouter';

import type { AgentRow, HiveEvent } from '#libs/protocol';

import { hueOf } from '../design/cell.js';
import { contextShare } from '../hive/context.js';
import { moodOf, type Tone } from '../hive/mood.js';
import { onHiveEvent } from '../hive/store.js';
import { CELL, comb, combView, hexPath, type Place } from './comb-layout.js';

/** Drawing units that are always shown: a comb of few cells does not grow huge. */
const LEAST = { width: 350, height: 236 };
/** Empty cells around the others, so that the comb goes on behind its frame. */
const EMPTY_CELLS = 110;
const LONGEST_NAME = 8;
const FLIGHT_MS = 1100;

/**
 * The swarm as a honeycomb around the operator: edges tell what each agent does, honey how full its context is, and
 * every message flies from cell to cell as it is sent. The list beside it says the same in words.
 */
export function Comb({ agents }: { agents: readonly AgentRow[] }): ReactNode {
  const flights = useRef<SVGGElement>(null);
  const names = useMemo(() => ['operator', ...agents.map(({ name }) => name)], [agents]);
  const { taken: places, empty } = useMemo(() => comb(names.length, EMPTY_CELLS), [names.length]);
  useFlights(flights, names, places);
  const working = agents.filter((agent) => moodOf(agent).tone === 'busy').length;
  return (
    <svg
      className="comb"
      viewBox={combView(places, LEAST)}
      preserveAspectRatio="xMidYMid slice"
      role="img"
      aria-label={`The hive: you and ${agents.length} agents, ${working} at work`}
    >
      <path className="comb-empty" d={empty.map(({ x, y }) => hexPath(CELL, x, y)).join('')} />
      {places.map((place, at) => {
        const agent = agents[at - 1];
        return agent ? (
          <AgentCell key={agent.agent_id} agent={agent} place={place} />
        ) : (
          <CombCell key="operator" name="operator" label="you" place={place} />
        );
      })}
      <g ref={flights} />
    </svg>
  );
}

function AgentCell({ agent, place }: { agent: AgentRow; place: Place }): ReactNode {
  const [, go] = useLocation();
  const { tone, word } = moodOf(agent);
  return (
    <CombCell
      name={agent.name}
      label={
        agent.name.length > LONGEST_NAME ? `${agent.name.slice(0, LONGEST_NAME - 1)}…` : agent.name
      }
      tone={tone}
      word={word}
      fill={contextShare(agent)}
      place={place}
      onClick={() => go(`/agents/${agent.name}`)}
    />
  );
}

function CombCell({
  name,
  label,
  tone,
  word,
  fill = 0,
  place,
  onClick,
}: {
  name: string;
  label: string;
  tone?: Tone;
  word?: string;
  fill?: number;
  place: Place;
  onClick?: () => void;
}): ReactNode {
  const clip = useId();
  const height = 2 * CELL * Math.min(1, fill);
  return (
    <g
      className={['comb-cell', tone, name === 'operator' && 'operator', onClick && 'goes']
        .filter(Boolean)
        .join(' ')}
      transform={`translate(${place.x} ${place.y})`}
      style={{ '--hue': hueOf(name) } as CSSProperties}
      onClick={onClick}
    >
      <title>{word ? `${name}: ${word}` : name}</title>
      <clipPath id={clip}>
        <path d={hexPath(CELL - 1)} />
      </clipPath>
      <path className="comb-ground" d={hexPath(CELL)} />
      <rect
        className="comb-honey"
        clipPath={`url(#${clip})`}
        x={-CELL}
        y={CELL - height}
        width={2 * CELL}
        height={height}
      />
      <path className="comb-edge" d={hexPath(CELL)} />
      <text y={word ? -3 : 0}>{label}</text>
      {word && (
        <text className="comb-word" y="10">
          {word}
        </text>
      )}
    </g>
  );
}

/** Lets each message that is sent fly over the comb. Nothing moves for those who asked for less motion. */
function useFlights(
  layer: { current: SVGGElement | null },
  names: readonly string[],
  places: readonly Place[],
): void {
  useEffect(() => {
    const placeOf = (name: string): Place | undefined => places[names.indexOf(name)];
    return onHiveEvent((event: HiveEvent) => {
      if (event.kind !== 'message_sent' || document.hidden) return;
      if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
      const { message } = event;
      const from = placeOf(message.from);
      for (const { to } of message.deliveries) {
        const target = placeOf(to);
        if (layer.current && from && target && from !== target) fly(layer.current, from, target);
      }
    });
  }, [layer, names, places]);
}

function fly(layer: SVGGElement, from: Place, to: Place): void {
  const dot = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
  dot.setAttribute('r', '4');
  dot.setAttribute('class', 'comb-flight');
  layer.append(dot);
  // A shallow arc to the right of the way, so that question and answer do not meet.
  const bend = { x: (from.y - to.y) * 0.18, y: (to.x - from.x) * 0.18 };
  const frames = [0, 0.25, 0.5, 0.75, 1].map((t) => {
    const lift = 4 * t * (1 - t);
    const x = from.x + (to.x - from.x) * t + bend.x * lift;
    const y = from.y + (to.y - from.y) * t + bend.y * lift;
    return {
      transform: `translate(${x}px, ${y}px)`,
      opacity: t === 0 || t === 1 ? 0 : 1,
    };
  });
  dot
    .animate(frames, { duration: FLIGHT_MS, easing: 'cubic-bezier(0.45, 0, 0.3, 1)' })
    .finished.finally(() => dot.remove())
    .catch(() => undefined);
}
