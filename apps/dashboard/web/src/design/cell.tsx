import type { CSSProperties, ReactNode } from 'react';

import type { Tone } from '../hive/mood.js';

const HEX = 'M16 1.2 29.2 8.6v14.8L16 30.8 2.8 23.4V8.6z';

/** A name's own hue on the colour wheel: the same for everyone who looks, and even over the wheel. */
export function hueOf(name: string): number {
  let hash = 2166136261;
  for (let at = 0; at < name.length; at += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(at), 16777619);
  }
  return (((hash >>> 0) % 24) * 15 + 20) % 360;
}

/** One or two letters that stand for a name: `release-bot` is `rb`, `worker-2` is `w2`. */
export function initials(name: string): string {
  const [first = '?', ...others] = name.split('-').filter(Boolean);
  const last = others.at(-1);
  return last ? `${first[0]}${last[0]}` : first.slice(0, 2);
}

/** Someone as a cell of the comb: the operator, an agent, the system. `tone` colours its edge with what it does. */
export function Cell({
  name,
  tone,
  size = 32,
}: {
  name: string;
  tone?: Tone;
  size?: number;
}): ReactNode {
  return (
    <svg
      className={['cell', tone, name === 'operator' && 'operator'].filter(Boolean).join(' ')}
      viewBox="0 0 32 32"
      width={size}
      height={size}
      style={{ '--hue': hueOf(name) } as CSSProperties}
      aria-hidden
    >
      <path d={HEX} />
      <text x="16" y="16.4" textAnchor="middle" dominantBaseline="central">
        {name === 'operator' ? 'you' : initials(name)}
      </text>
    </svg>
  );
}
