import type { ReactNode } from 'react';

/** What stands where nothing is yet: what belongs here and how it gets here. */
export function Empty({
  title,
  children,
  action,
}: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}): ReactNode {
  return (
    <div className="empty">
      <svg viewBox="0 0 54 60" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden>
        <path d="M27 1.7 51.5 15.9v28.2L27 58.3 2.5 44.1V15.9z" />
        <path d="M27 16.5l11.7 6.8v13.4L27 43.5l-11.7-6.8V23.3z" strokeDasharray="3 3" />
      </svg>
      <strong>{title}</strong>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}
