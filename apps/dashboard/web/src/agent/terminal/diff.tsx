import type { ReactNode } from 'react';

import type { DiffLine } from './line-diff.js';

/** Lines that went and came. */
export function Diff({ lines }: { lines: readonly DiffLine[] }): ReactNode {
  return (
    <div className="diff">
      {lines.map((line, at) => (
        // Lines have no identity of their own, and the list never changes.
        <div key={at} className={line.sign === '+' ? 'plus' : line.sign === '-' ? 'minus' : 'same'}>
          <span aria-hidden>{line.sign}</span>
          <span className="prose">{line.text}</span>
        </div>
      ))}
    </div>
  );
}
