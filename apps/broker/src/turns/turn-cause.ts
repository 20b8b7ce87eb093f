import { parseId } from '#libs/protocol';

import { threadOf, type MessageDetail, type MessageRecord } from '../messages/message.js';
import type { TurnRecord } from './turn.js';
import type { TurnsRepository } from './turns.repository.js';

/**
 * What a turn's cost is counted to (PRODUCT 6.4). The thread is that of the message that woke it; one that an agent
 * asked for itself stays with the thread that it goes on with. The reminder is the one that came due, or the one that
 * the turn which sent the message goes back to: what a reminder sets off is counted to it, at whichever agent.
 */
export function causeOf(
  wake: MessageRecord,
  turns: Pick<TurnsRepository, 'find'>,
): Pick<TurnRecord, 'thread' | 'reminder'> {
  const before = wake.cause_turn === null ? undefined : turns.find(wake.cause_turn);
  return {
    thread: wake.from_kind === 'self' && before ? before.thread : threadOf(wake),
    reminder: reminderIn(wake) ?? before?.reminder ?? null,
  };
}

function reminderIn({ detail }: MessageRecord): number | undefined {
  if (detail === null) return undefined;
  const { reminder } = JSON.parse(detail) as MessageDetail;
  return reminder && parseId('r', reminder.id);
}
