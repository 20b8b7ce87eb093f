/** What a message wants, as far as a script can tell. */
export type Wish = 'greeting' | 'thanks' | 'status' | 'question' | 'task';

const GREETING = /^(hi|hello|hey|good (morning|evening|day|afternoon))\b[^.!?]*[.!?]?$/i;
const THANKS = /^(thanks|thank you|great|perfect|well done|nice|ok|okay|good)\b.{0,60}$/i;
const STATUS =
  /\b(status|progress|how (is it|far|are things|are you)|what are you (doing|up to))\b/i;

export function wishOf(text: string): Wish {
  const plain = text.trim();
  if (GREETING.test(plain)) return 'greeting';
  if (STATUS.test(plain)) return 'status';
  if (THANKS.test(plain)) return 'thanks';
  return /\?\s*$/.test(plain) ? 'question' : 'task';
}

/** Characters of a topic. */
const TOPIC_CHARS = 70;
const POLITE = /^(please|could you|can you|would you|kindly|then|now|and|also)[, ]+/i;

/** What a task is about, in a few words of its own: its first sentence without greeting and courtesies. */
export function topicOf(text: string): string {
  const sentences = text.trim().split(/(?<=[.!?])\s+|\n+/);
  const first = sentences.find((sentence) => !GREETING.test(sentence.trim())) ?? text;
  let topic = first.trim();
  while (POLITE.test(topic)) topic = topic.replace(POLITE, '');
  topic = (topic.split(/[:;\n]|, /, 1)[0] ?? topic).replace(/[.!?\s]+$/, '');
  return topic.length <= TOPIC_CHARS ? topic : `${topic.slice(0, TOPIC_CHARS - 1).trimEnd()}…`;
}

/** One of several ways to say it: always the same for the same seed, so that a repeated turn repeats itself. */
export function oneOf(choices: readonly [string, ...string[]], seed: string): string {
  let hash = 0;
  for (const character of seed) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return choices[hash % choices.length] ?? choices[0];
}

/** Every line as a quotation. */
export function quoted(text: string): string {
  return text.replaceAll(/^/gm, '> ');
}
