import { Tooltip } from 'radix-ui';
import type { ReactNode } from 'react';

/** Says more about its child on hover and focus. */
export function Tip({ text, children }: { text: ReactNode; children: ReactNode }): ReactNode {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content className="tip" sideOffset={6} collisionPadding={8}>
          {text}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
