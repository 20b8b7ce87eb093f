import type { Memory, Work } from '../memory/memory.js';
import type { Incoming } from '../prompt/wake-prompt.js';

/** Something that a character does in its turn. */
export type Act =
  | { kind: 'say'; text: string }
  | { kind: 'status'; text: string }
  | {
      kind: 'send';
      to: string;
      body: string;
      in_reply_to?: string;
      /** Kept under the thread in which the message lands. */
      remember?: Work;
    }
  /** Puts a question to the operator; the answer comes as a message of kind `answer`. */
  | { kind: 'ask'; question: string; options: string[] }
  /** Sets a reminder; it comes as a message of kind `reminder`. */
  | { kind: 'remind'; message: string; delay_seconds: number }
  /** Tells the operator who is there and what they do, from list_agents. */
  | { kind: 'report'; in_reply_to: string }
  /** One more turn right after this one. */
  | { kind: 'again' };

/**
 * A character's script: what it does about one message. It reads and changes `memory`, and does the same again when
 * the message is given to it again before the memory was written.
 */
export type Script = (message: Incoming, memory: Memory) => Act[];

export function say(text: string): Act {
  return { kind: 'say', text };
}
export function status(text: string): Act {
  return { kind: 'status', text };
}
export function reply(message: Incoming, body: string, to = message.from): Act {
  return { kind: 'send', to, body, in_reply_to: message.id };
}
