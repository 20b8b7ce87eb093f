import type { DeliveryRow, HiveEvent, MessageRow, OpenThread } from '#libs/protocol';

import { concerns, deliveryTo } from '../../hive/recipients.js';

/** Whether an event may change which messages are open for an agent. */
export function touchesOpen(event: HiveEvent, agent: string): boolean {
  const { kind } = event;
  return (kind === 'message_sent' || kind === 'delivery_changed') && concerns(event.message, agent);
}

/** Whether an event may change which deliveries to an agent are dead. */
export function touchesDead(event: HiveEvent, agent: string): boolean {
  return event.kind === 'delivery_changed' && concerns(event.message, agent);
}

type Messages = Record<string, MessageRow>;
type OpenMessage = Extract<OpenThread, { kind: 'message' }>;

/** The open messages as the newer rows of the page have them: what was acked or given up since then is gone at once. */
export function stillOpen(
  open: readonly OpenMessage[],
  messages: Messages,
  agent: string,
): OpenMessage[] {
  return open.flatMap((message) => {
    const row = messages[message.id];
    const delivery = row && deliveryTo(row, agent);
    if (!delivery) return [message];
    const isOpen = delivery.state === 'queued' || delivery.state === 'leased';
    return isOpen ? [{ ...message, state: delivery.state }] : [];
  });
}

/** The dead deliveries without those that a newer row of the page has alive again. */
export function stillDead(dead: readonly DeliveryRow[], messages: Messages): DeliveryRow[] {
  return dead.filter((row) => {
    const known = messages[row.message.id];
    if (!known || known.version < row.version) return true;
    return (deliveryTo(known, row.to)?.state ?? 'dead') === 'dead';
  });
}
