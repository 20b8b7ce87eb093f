import type { PromptMessage } from './prompt-text.js';
import { keyValues } from './tool-view.js';

/** What a tool gave back, in the form that reads best. */
export type ResultView =
  | { kind: 'messages'; messages: PromptMessage[]; pending: number }
  | { kind: 'line'; text: string }
  | { kind: 'text'; text: string };

const LONGEST_LINE = 120;

/** Presents a result: messages that were received as messages, small JSON as a line, anything else as its text. */
export function resultView(text: string, readsMessages: boolean): ResultView {
  const value = jsonObject(text);
  if (value && readsMessages) {
    const messages = received(value);
    if (messages) {
      return {
        kind: 'messages',
        messages,
        pending: typeof value['pending'] === 'number' ? value['pending'] : 0,
      };
    }
  }
  if (value) {
    const line = keyValues(value);
    return line.length <= LONGEST_LINE
      ? { kind: 'line', text: line }
      : { kind: 'text', text: JSON.stringify(value, null, 2) };
  }
  return text.length <= LONGEST_LINE && !text.includes('\n')
    ? { kind: 'line', text }
    : { kind: 'text', text };
}

function jsonObject(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** The messages of a `recv` or `recv_batch`; undefined when the answer has another shape. */
function received(value: Record<string, unknown>): PromptMessage[] | undefined {
  const { message, messages } = value;
  const list = Array.isArray(messages) ? messages : message === null ? [] : [message];
  const known = list.filter(isMessage);
  return known.length === list.length
    ? known.map(({ id, from, body, redelivered }) => ({
        id,
        from,
        body,
        redelivered: redelivered === true,
      }))
    : undefined;
}

function isMessage(
  value: unknown,
): value is { id: string; from: string; body: string; redelivered?: unknown } {
  if (typeof value !== 'object' || value === null) return false;
  const { id, from, body } = value as Record<string, unknown>;
  return typeof id === 'string' && typeof from === 'string' && typeof body === 'string';
}
