import type { ReactNode } from 'react';

/** A row of the terminal: a sign in the one prefix column, then its text with a hanging indent. */
export function Row({
  sign,
  look,
  children,
}: {
  sign: string;
  look: string;
  children: ReactNode;
}): ReactNode {
  return (
    <div className={`row ${look}`}>
      <span className="row-sign" aria-hidden>
        {sign}
      </span>
      <div className="row-text">{children}</div>
    </div>
  );
}

/** A row whose rest is folded behind its headline. */
export function Fold({
  sign,
  look,
  head,
  open = false,
  children,
}: {
  sign: string;
  look: string;
  head: ReactNode;
  open?: boolean;
  children: ReactNode;
}): ReactNode {
  return (
    <details className={`row fold ${look}`} open={open}>
      <summary>
        <span className="row-sign" aria-hidden>
          {sign}
        </span>
        <span className="row-text">{head}</span>
      </summary>
      <div className="fold-body">{children}</div>
    </details>
  );
}

/** The first line of a text: what a fold is called. */
export function headline(text: string): string {
  return text.trimStart().split('\n', 1)[0] ?? '';
}
