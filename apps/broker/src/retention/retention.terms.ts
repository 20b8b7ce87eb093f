import { LIMITS } from '#libs/protocol';

/** How long what is kept, in days. */
export interface RetentionTerms {
  /** Messages whose deliveries are all over, and what belongs to them (PRODUCT 1.10). */
  messageDays: number;
  /** Rows of turns in telemetry.db (PRODUCT 6.5). */
  turnDays: number;
  /** Live events of turns (PRODUCT 6.5). */
  eventDays: number;
}

export const DEFAULT_RETENTION: RetentionTerms = {
  messageDays: LIMITS.message_retention_days,
  turnDays: 400,
  eventDays: 14,
};
