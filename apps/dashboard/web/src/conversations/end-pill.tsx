import { ArrowDown } from 'lucide-react';
import type { ReactNode } from 'react';

import type { Sticky } from './sticky.js';

/** Leads back to the end of a box and says how much came there meanwhile. */
export function EndPill({ sticky }: { sticky: Sticky }): ReactNode {
  if (sticky.below === 0) return null;
  return (
    <button type="button" className="end-pill" onClick={sticky.toEnd}>
      <ArrowDown size={13} aria-hidden />
      {sticky.below} new
    </button>
  );
}
