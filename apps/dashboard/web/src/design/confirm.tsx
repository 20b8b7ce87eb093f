import type { ReactNode } from 'react';

import { Button } from './button.js';
import { Dialog } from './dialog.js';

/** Asks once before something that cannot be undone. */
export function Confirm({
  title,
  children,
  verb,
  onConfirm,
  onClose,
}: {
  title: string;
  children: ReactNode;
  verb: string;
  onConfirm: () => void;
  onClose: () => void;
}): ReactNode {
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="quiet">{children}</div>
      <div className="dialog-foot">
        <Button onClick={onClose}>Keep</Button>
        <Button
          look="danger"
          onClick={() => {
            onConfirm();
            onClose();
          }}
        >
          {verb}
        </Button>
      </div>
    </Dialog>
  );
}
