import { HiveError } from '#libs/protocol';

/** A letter or digit, as the index' tokenizer sees it: the rest only separates words. */
const WORD_CHARACTER = /[\p{L}\p{N}\p{Co}]/u;
/** A last word of one such letter is taken whole: as a prefix it would match most of the index. */
const ONE_ASCII_CHARACTER = /^[\u0021-\u007e]$/;

/**
 * The FTS5 expression of what a user typed: every word must be there, the last one at least as the beginning of a word.
 * Each word is quoted, so that none of FTS5's syntax is left. Throws `invalid_request` when there is no word in it.
 */
export function matchOf(query: string): string {
  const words = query.split(/\s+/u).filter((word) => WORD_CHARACTER.test(word));
  const last = words.at(-1);
  if (last === undefined) {
    throw new HiveError(
      'invalid_request',
      'query holds no word to look for; give at least one letter or digit',
    );
  }
  const phrases = [...new Set(words.slice(0, -1))].map(quoted);
  phrases.push(ONE_ASCII_CHARACTER.test(last) ? quoted(last) : `${quoted(last)}*`);
  return phrases.join(' AND ');
}

function quoted(word: string): string {
  return `"${word.replaceAll('"', '""')}"`;
}
