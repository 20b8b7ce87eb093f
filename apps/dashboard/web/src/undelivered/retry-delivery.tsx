import { RotateCw } from 'lucide-react';
import type { ReactNode } from 'react';

import { announce } from '../design/announce.js';
import { Button } from '../design/button.js';
import { useAction } from '../hive/actions.js';
import { deliveryKey, retryDelivery } from '../hive/pending-actions.js';

/** Has a delivery that was given up tried again. */
export function RetryDelivery({ id, agent }: { id: string; agent: string }): ReactNode {
  const action = useAction(deliveryKey(id));
  return (
    <Button
      small
      busy={action?.state === 'running'}
      icon={<RotateCw size={13} />}
      aria-label={`Try again: message to ${agent}, ${id}`}
      onClick={() => {
        void retryDelivery(id).then((done) => {
          if (done) announce(`The message waits for ${agent} again.`);
          return undefined;
        });
      }}
    >
      Try again
    </Button>
  );
}
