import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { excerpt, marked, matches, queryProblem, wordsOf } from './search-words.js';

/** The text with what is marked in brackets. */
const shown = (text: string, query: string): string =>
  marked(text, query)
    .map(({ text: piece, hit }) => (hit ? `[${piece}]` : piece))
    .join('');

describe(verifies('1.9', '7.3') + 'what a search marks', () => {
  it.each([
    ['the red fox runs', 'red fox', 'the [red] [fox] runs'],
    ['Foxes and a fox', 'fox', '[Fox]es and a [fox]'],
    ['redder than red', 'red fox', 'redder than [red]'],
    ['Überfällig', 'uber', '[Über]fällig'],
    ['U\u0308ber', 'ub', '[U\u0308b]er'],
    ['foo-bar baz', 'foo-bar', '[foo]-[bar] baz'],
    ['<b>bold</b>', 'bo', '<b>[bo]ld</b>'],
    ['ab', 'a', 'ab'],
    ['蜂 works', '蜂', '[蜂] works'],
    ['nothing', 'other', 'nothing'],
    ['(.*)', '.*', '(.*)'],
  ])('%j by %j', (text, query, expected) => {
    expect(shown(text, query)).toBe(expected);
  });

  it.each([
    ['', 'Type a word'],
    ['  ?! ', 'Type a word'],
    ['x', 'one more letter'],
    ['xy', 'nothing'],
    ['7', 'one more letter'],
    ['蜂', 'nothing'],
    ['a b', 'nothing'],
    ['w'.repeat(501), 'longer than 500'],
  ])('looks for %j: %s', (query, problem) => {
    expect(queryProblem(query) ?? 'nothing').toContain(problem);
  });

  it.each([
    ['The red fox', 'fox red', true],
    ['The red fox', 're fo', false],
    ['The red fox', 'red fo', true],
    ['The red fox', 'green', false],
    ['plan b', 'plan b', true],
    ['plan bee', 'plan b', false],
  ])('finds %j by %j: %s', (text, query, found) => {
    expect(matches(text, query)).toBe(found);
  });

  it('takes words apart as the index does', () => {
    expect(wordsOf('Foo-bar  Ünd "x"')).toEqual(['foo', 'bar', 'und', 'x']);
  });

  it('shows the part of a long body where it was found, never half a character', () => {
    const body = `${'word '.repeat(100)}needle ${'😀'.repeat(300)}`;
    const pieces = excerpt(body, 'needle');
    const text = pieces.map((piece) => piece.text).join('');
    expect(pieces[0]?.text).toBe('…');
    expect(pieces.find(({ hit }) => hit)?.text).toBe('needle');
    expect(text.length).toBeLessThan(270);
    expect(text.isWellFormed()).toBe(true);
    expect(excerpt('short', 'sh')).toEqual([
      { text: 'sh', hit: true },
      { text: 'ort', hit: false },
    ]);
  });
});
