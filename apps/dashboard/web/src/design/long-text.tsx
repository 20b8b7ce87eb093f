import { useState, type ReactNode } from 'react';

import { LinkedText } from './linked-text.js';

/** Characters that are shown at once. */
const LONG = 280;

/** A text of somebody else that may be long: its beginning, and the whole of it when asked for. */
export function LongText({
  text,
  className = '',
}: {
  text: string;
  className?: string;
}): ReactNode {
  const [whole, setWhole] = useState(false);
  const isLong = text.length > LONG;
  return (
    <>
      <p className={`prose ${className}`}>
        <LinkedText text={whole || !isLong ? text : `${text.slice(0, LONG).trimEnd()}…`} />
      </p>
      {isLong && (
        <button
          type="button"
          className="text-more"
          aria-expanded={whole}
          onClick={() => setWhole(!whole)}
        >
          {whole ? 'Show less' : 'Show the whole text'}
        </button>
      )}
    </>
  );
}
