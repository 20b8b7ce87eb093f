import type { ReactNode } from 'react';

/** One of the tab's sections, with how much is in it. */
export function Part({
  title,
  count,
  of,
  children,
}: {
  title: string;
  count: number;
  of: string;
  children: ReactNode;
}): ReactNode {
  return (
    <section className="panel" aria-labelledby={of}>
      <header className="panel-head">
        <h2 className="label" id={of}>
          {title}
        </h2>
        {count > 0 && <span className="count soft">{count}</span>}
      </header>
      {children}
    </section>
  );
}
