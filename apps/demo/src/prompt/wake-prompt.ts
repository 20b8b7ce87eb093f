/** A message as a scripted agent works with it, from the wake prompt or from a tool's answer. */
export interface Incoming {
  id: string;
  thread_id: string;
  in_reply_to?: string;
  from: string;
  body: string;
  /** What the hive says it is when it is no plain message: `reminder`, `answer`, `event`. */
  kind?: string;
  /** It went to everybody. */
  broadcast?: boolean;
}

const OPENING = /begin with "\[hive ([0-9a-f]+)"/;

/**
 * The messages of a wake prompt. Only what stands outside the fences of this turn's nonce is taken for a header, so a
 * body cannot pass for another message.
 */
export function readWakePrompt(prompt: string): Incoming[] {
  const nonce = OPENING.exec(prompt)?.[1];
  if (nonce === undefined) return [];
  const fence = new RegExp(
    `\\n\\[hive ${nonce} body of (\\S+) begins\\]\\n([\\s\\S]*?)\\n\\[hive ${nonce} body of \\1 ends\\]`,
    'g',
  );
  const messages: Incoming[] = [];
  let start = 0;
  for (const match of prompt.matchAll(fence)) {
    const [whole, id = '', body = ''] = match;
    const header = prompt.slice(start, match.index);
    start = match.index + whole.length;
    const from = fieldOf(header, 'from');
    if (from === undefined) continue;
    const inReplyTo = fieldOf(header, 'in reply to');
    const kind = fieldOf(header, 'kind');
    messages.push({
      id,
      thread_id: fieldOf(header, 'thread') ?? id,
      ...(inReplyTo === undefined ? {} : { in_reply_to: inReplyTo }),
      from,
      body,
      ...(kind === undefined ? {} : { kind }),
      ...(fieldOf(header, 'broadcast') === undefined ? {} : { broadcast: true }),
    });
  }
  return messages;
}

/** The first word after `name: ` at the start of a header line. */
function fieldOf(header: string, name: string): string | undefined {
  return new RegExp(`^${name}: (\\S+)`, 'm').exec(header)?.[1];
}
