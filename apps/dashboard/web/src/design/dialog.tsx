import { X } from 'lucide-react';
import { useEffect, useId, useRef, type ReactNode } from 'react';

import { Button } from './button.js';

const FIRST_FIELD = '.dialog-body :is(input, select, textarea, button)';

/**
 * A modal dialog on the platform's own element: it traps the focus, closes on Esc, makes the page behind it inert and
 * gives the focus back, all without the style element that a library would inject and the policy forbids.
 */
export function Dialog({
  title,
  onClose,
  children,
  wide = false,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
  wide?: boolean;
}): ReactNode {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) {
      dialog.showModal();
      // The platform would begin at the close button.
      dialog.querySelector<HTMLElement>(FIRST_FIELD)?.focus();
    }
    return () => dialog?.close();
  }, []);
  return (
    // A click on the backdrop is a click on the dialog itself; Esc does the same for keyboards.
    <dialog
      ref={ref}
      className={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div className="dialog-head">
        <h2 id={titleId}>{title}</h2>
        <Button
          look="ghost"
          small
          aria-label="Close"
          title="Close"
          icon={<X size={16} />}
          onClick={onClose}
        />
      </div>
      <div className="dialog-body">{children}</div>
    </dialog>
  );
}
