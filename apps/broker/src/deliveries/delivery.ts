import type { DeliveryState } from '#libs/protocol';

import type { MessageRecord } from '../messages/message.js';

/** Why a delivery past the hop limit is `low` (P20). */
export const HOP_LIMIT_REASON = 'hop_limit';
/** Why a broadcast's delivery was cancelled at once: the inbox was full (P21). */
export const INBOX_FULL_REASON = 'inbox_full';
/** Why what waited for an agent is dead: nothing is kept of it any more (P25). */
export const PURGED_REASON = 'recipient_purged';

/** A row of `deliveries`: one message on its way to one recipient. */
export interface DeliveryRecord {
  message: number;
  /** Incarnation, 0 the operator. */
  recipient: number;
  state: DeliveryState;
  /** 0 urgent, 1 normal, 2 low: PRIORITY_RANK. */
  priority: number;
  sender: number;
  limited: number;
  eager: number;
  /** It belongs to a broadcast: its wakes are spread (PRODUCT 1.6). */
  broadcast: number;
  hand_outs: number;
  /** Hand-outs before the operator had it tried again: they do not count towards its death. */
  forgiven: number;
  attempts: number;
  turn: number | null;
  session: string | null;
  written: number;
  not_before: number;
  held: number;
  since: number;
  reason: string | null;
}

/** A delivery with its message, as it is handed out. */
export interface OpenDelivery extends DeliveryRecord {
  content: MessageRecord;
}

/** Who a delivery is leased to: a turn, or a bare client's session (P12). */
export type Holder = { turn: number } | { session: string };

/** What a return leaves on the row. */
export interface GiveBack {
  /** The turn failed on this delivery's account (P13). */
  failed?: boolean;
  /** Earliest next hand-out, milliseconds since 1970. */
  notBefore?: number;
  /** Waits for the operator (P17). */
  held?: boolean;
  /** Why it dies, when the limits say that it does. */
  note?: string;
}

/** What a new delivery says. */
export type NewDelivery = Pick<
  DeliveryRecord,
  'message' | 'recipient' | 'priority' | 'sender' | 'limited' | 'eager' | 'broadcast' | 'reason'
>;
