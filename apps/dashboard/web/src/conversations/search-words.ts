import { LIMITS } from '#libs/protocol';

/** A piece of a text: found by the search or not. */
export interface Piece {
  text: string;
  hit: boolean;
}

const WORD = /[\p{L}\p{N}\p{Co}][\p{L}\p{N}\p{Co}\p{M}]*/gu;

/** Text as the index compares it: without case and without marks on letters. */
function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

/** The words that a query looks for; every one must be there, the last one at least as the beginning of a word. */
export function wordsOf(query: string): string[] {
  return [...query.matchAll(WORD)].map(([word]) => folded(word));
}

/** Why nothing is looked for yet, in words; undefined when the query says enough. */
export function queryProblem(query: string): string | undefined {
  const words = wordsOf(query);
  if (words.length === 0) return 'Type a word: at least one letter or digit.';
  // A single letter of the Latin script would find most of what was ever said; in other scripts it is a word.
  if (words.length === 1 && /^[a-z0-9]$/.test(words[0] ?? '')) return 'Type one more letter.';
  if (query.length > LIMITS.search_query_chars) {
    return `That is longer than ${LIMITS.search_query_chars} characters. Fewer words find more.`;
  }
  return undefined;
}

/** The text in pieces, so that what was found in it can be marked. */
export function marked(text: string, query: string): Piece[] {
  const words = wordsOf(query);
  const last = words.at(-1);
  const pieces: Piece[] = [];
  let end = 0;
  const put = (to: number, hit: boolean): void => {
    if (to > end) pieces.push({ text: text.slice(end, to), hit });
    end = Math.max(end, to);
  };
  for (const match of text.matchAll(WORD)) {
    const [word] = match;
    const plain = folded(word);
    if (words.includes(plain)) {
      put(match.index, false);
      put(match.index + word.length, true);
    } else if (last !== undefined && last.length > 1 && plain.startsWith(last)) {
      put(match.index, false);
      put(match.index + lengthOf(word, last.length), true);
    }
  }
  put(text.length, false);
  return pieces;
}

/** How much of a word stands for its first `count` folded characters. */
function lengthOf(word: string, count: number): number {
  let length = 0;
  for (const character of word) {
    if (folded(word.slice(0, length)).length >= count) break;
    length += character.length;
  }
  return length;
}

const BEFORE = 48;
const MOST_CHARACTERS = 260;

/** The part of a body around the first thing that was found in it. */
export function excerpt(body: string, query: string): Piece[] {
  const pieces = marked(body.replace(/\s+/g, ' '), query);
  const first = pieces.findIndex(({ hit }) => hit);
  const lead = first > 0 ? pieces.slice(0, first).reduce((n, { text }) => n + text.length, 0) : 0;
  let skip = lead > BEFORE ? lead - BEFORE : 0;
  let left = MOST_CHARACTERS;
  const shown: Piece[] = skip > 0 ? [{ text: '…', hit: false }] : [];
  for (const { text, hit } of pieces) {
    const from = Math.min(skip, text.length);
    skip -= from;
    const part = text.slice(from, from + left).toWellFormed();
    left -= part.length;
    if (part !== '') shown.push({ text: part, hit });
    if (left <= 0) break;
  }
  if (left <= 0) shown.push({ text: '…', hit: false });
  return shown;
}

/** Whether the index would find this text by the query. */
export function matches(text: string, query: string): boolean {
  const words = wordsOf(query);
  const last = words.pop();
  if (last === undefined) return false;
  const there = wordsOf(text);
  const begins =
    last.length === 1 && last < '\u007f'
      ? there.includes(last)
      : there.some((word) => word.startsWith(last));
  return begins && words.every((word) => there.includes(word));
}
