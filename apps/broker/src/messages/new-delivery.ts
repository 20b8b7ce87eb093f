import { LIMITS } from '#libs/protocol';

import { HOP_LIMIT_REASON, type NewDelivery } from '../deliveries/delivery.js';
import { OPERATOR_ID } from '../registry/agent.js';
import { PRIORITY_RANK, type NewMessage } from './message.js';

/** What decides how a message goes to one of its recipients. */
type Sent = Pick<
  NewMessage,
  'from_agent' | 'from_kind' | 'kind' | 'priority' | 'broadcast' | 'hop'
>;

/**
 * The delivery of message `id` to a recipient. Past the hop limit it is `low` (P20); urgent ones, the operator's and
 * answers skip the quiet window (P16). `limited`: it counts towards the inbox limit (P19).
 */
export function newDelivery(
  id: number,
  sent: Sent,
  recipient: number,
  limited: boolean,
): NewDelivery {
  const pastLimit = sent.hop > LIMITS.hops && recipient !== OPERATOR_ID;
  const isEager =
    sent.priority === 'urgent' || sent.from_kind === 'operator' || sent.kind === 'answer';
  return {
    message: id,
    recipient,
    priority: pastLimit ? PRIORITY_RANK.low : PRIORITY_RANK[sent.priority],
    sender: sent.from_agent,
    limited: limited ? 1 : 0,
    eager: isEager ? 1 : 0,
    broadcast: sent.broadcast,
    reason: pastLimit ? HOP_LIMIT_REASON : null,
  };
}
