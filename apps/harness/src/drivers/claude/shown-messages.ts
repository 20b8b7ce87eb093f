import { blocksOf, textOf } from './stream-message.js';

/** Tools whose results hand out deliveries. */
const RECEIVING = new Set(['mcp__hyperhive__recv', 'mcp__hyperhive__recv_batch']);

interface Received {
  id: string;
  body: string;
}

/**
 * Ids of the messages that a tool's result really put before the model (P1). Claude Code shows the structured answer as
 * JSON, but keeps a long one in a file and shows its beginning only: nothing of that counts as shown. A CLI that shows
 * the text instead shows each body between two lines that name its message.
 */
export function shownIds(tool: string, content: unknown, toolUseResult: unknown): string[] {
  if (!RECEIVING.has(tool)) return [];
  const text = textOf(blocksOf(content).filter((block) => block.type === 'text'));
  const whole = receivedIn(parse(text));
  if (whole.length > 0) return whole.map((message) => message.id);
  const structured = (toolUseResult as { structuredContent?: unknown } | null)?.structuredContent;
  return receivedIn(structured)
    .filter(({ id, body }) => text.includes(` body of ${id} -----\n${body}\n----- `))
    .map((message) => message.id);
}

function receivedIn(answer: unknown): Received[] {
  if (typeof answer !== 'object' || answer === null) return [];
  const { message, messages } = answer as { message?: unknown; messages?: unknown };
  return [message, ...(Array.isArray(messages) ? messages : [])].filter(isReceived);
}

function isReceived(value: unknown): value is Received {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Received).id === 'string' &&
    typeof (value as Received).body === 'string'
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
