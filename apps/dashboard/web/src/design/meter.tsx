import type { ReactNode } from 'react';

/** A bar of how full something is, with the share that deserves a warning. */
export function Meter({
  share,
  label,
  high = 0.85,
}: {
  share: number;
  label: string;
  high?: number;
}): ReactNode {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    <div
      className={share >= high ? 'meter high' : 'meter'}
      role="meter"
      aria-label={label}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <i style={{ width: `${percent}%` }} />
    </div>
  );
}
