import { TriangleAlert, X } from 'lucide-react';
import type { ReactNode } from 'react';

import { Button } from './button.js';

/** A failure in words, at the place where it happened. */
export function ErrorNote({
  children,
  onRetry,
  onDismiss,
}: {
  children: ReactNode;
  onRetry?: () => void;
  onDismiss?: () => void;
}): ReactNode {
  return (
    <div className="error-note" role="alert">
      <TriangleAlert size={14} aria-hidden />
      <span>{children}</span>
      {onRetry && (
        <Button small look="ghost" onClick={onRetry}>
          Try again
        </Button>
      )}
      {onDismiss && (
        <Button
          small
          look="ghost"
          aria-label="Dismiss"
          icon={<X size={14} />}
          onClick={onDismiss}
        />
      )}
    </div>
  );
}
