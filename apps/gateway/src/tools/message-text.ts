import { randomBytes } from 'node:crypto';

import { aboutText, quoted, type Message } from '#libs/protocol';

/** Characters of a file's path that stand among the hive's own words. */
const PATH_CHARS = 300;

/** A mark that no body can know beforehand (P33). */
export function newMark(): string {
  return randomBytes(4).toString('hex');
}

/**
 * A message for a model to read: a header that only the hive writes, then the body between two lines with `mark`, so
 * that nothing in the body passes for the hive's own words (P33).
 */
export function messageText(message: Message, mark: string): string {
  return [
    `message ${message.id} from ${message.from} (${message.from_kind})${factsOf(message)}`,
    ...aboutLines(message),
    `----- ${mark} body of ${message.id} -----`,
    message.body,
    `----- ${mark} end of ${message.id} -----`,
  ].join('\n');
}

/** How many more wait, as a closing line. */
export function pendingText(pending: number): string {
  return pending === 0 ? 'Nothing more waits.' : `${pending} more wait; drain with recv_batch.`;
}

/**
 * What a reader should know of these messages beyond their fields: redelivered, perhaps a repeat, a broadcast, a question,
 * a reminder. Empty for most. Some clients show a model the data and not the text, so results carry it in both.
 */
export function hintsOf(messages: readonly Message[]): string {
  return messages
    .flatMap((message) => [
      message.redelivered
        ? `${message.id} was handed to you before (attempt ${message.attempt}): check what you already did about it.`
        : '',
      message.may_repeat
        ? `${message.id} may repeat an earlier message: its sender works on its task a second time.`
        : '',
      message.broadcast
        ? `${message.id}: this was a broadcast and may not need any action from you.`
        : '',
      ...aboutLines(message).map((line) => `${message.id}: ${line}`),
    ])
    .filter((hint) => hint !== '')
    .join(' ');
}

/** What `recv` gives is the whole text, also of a reminder that a harness would have put into a file (P23). */
function aboutLines(message: Message): string[] {
  const file = message.reminder?.file_path;
  if (file === undefined) return aboutText(message);
  return [
    ...aboutText(message),
    `its text is meant for the file ${quoted(file, PATH_CHARS)} in your state folder`,
  ];
}

function factsOf(message: Message): string {
  return [
    `, ${ageText(message.age_seconds)} ago, to ${message.to}, thread ${message.thread_id}`,
    message.in_reply_to === undefined ? '' : `, in reply to ${message.in_reply_to}`,
    message.priority === 'normal' ? '' : `, priority ${message.priority}`,
    message.kind === 'message'
      ? ''
      : `, ${message.kind}${message.event ? ` ${message.event}` : ''}`,
    message.redelivered ? `, redelivered (attempt ${message.attempt})` : '',
  ].join('');
}

/** An age in the largest unit that keeps it exact enough to act on. */
export function ageText(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
