import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { matchOf } from './query-words.js';

describe(verifies('1.9') + 'the words of a query', () => {
  it.each([
    ['deploy failed', '"deploy" AND "failed"*'],
    ['  deploy\t\n failed  ', '"deploy" AND "failed"*'],
    ['deploy deploy now', '"deploy" AND "now"*'],
    ['plan b', '"plan" AND "b"'],
    ['人', '"人"*'],
    ['say "hi"', '"say" AND """hi"""*'],
    ['NEAR(a b)', '"NEAR(a" AND "b)"*'],
    ['a AND NOT b*', '"a" AND "AND" AND "NOT" AND "b*"*'],
    ['parties:a1', '"parties:a1"*'],
    ['-- ; x1', '"x1"*'],
  ])('%j become %s', (query, match) => {
    expect(matchOf(query)).toBe(match);
  });

  it.each(['', '   ', '"', '*', '?!…', '\u200f', '☃'])(
    '%j has none, which is an error',
    (query) => {
      expect(() => matchOf(query)).toThrow('query holds no word to look for');
    },
  );
});
