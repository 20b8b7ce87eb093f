import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { answerOf, answerProblem } from './answer.js';

const NONE = { options: [], multi: false };
const ONE = { options: ['red', 'green'], multi: false };
const SEVERAL = { options: ['red', 'green', 'blue'], multi: true };

describe(verifies('2.1', '2.2', '7.3') + 'the answer to a question', () => {
  it.each([
    ['free text', NONE, { chosen: [], text: ' so \n', own: false }, 'so'],
    ['an option', ONE, { chosen: ['green'], text: 'left over', own: false }, 'green'],
    ['words instead of an option', ONE, { chosen: ['red'], text: 'pink ', own: true }, 'pink'],
    ['nothing chosen', ONE, { chosen: [], text: 'x', own: false }, ''],
    ['an option that is no longer there', ONE, { chosen: ['blue'], text: '', own: false }, ''],
    [
      'several, in the order of the question',
      SEVERAL,
      { chosen: ['blue', 'red'], text: '', own: false },
      ['red', 'blue'],
    ],
    [
      'several and words',
      SEVERAL,
      { chosen: ['red'], text: ' a bit of pink', own: false },
      ['red', 'a bit of pink'],
    ],
    ['only words', SEVERAL, { chosen: [], text: 'pink', own: false }, ['pink']],
  ])('%s', (_what, question, draft, answer) => {
    expect(answerOf(question, draft)).toEqual(answer);
  });

  it.each([
    ['', 'Choose an option or write an answer.'],
    [[], 'Choose an option or write an answer.'],
    ['ä'.repeat(2048), undefined],
    ['ä'.repeat(2049), 'This is 4098 bytes, and 4096 is the limit.'],
    [['a'.repeat(4094), 'b'], 'This is 4097 bytes, and 4096 is the limit.'],
    [['red', 'blue'], undefined],
  ])('says what is wrong with it', (answer, problem) => {
    expect(answerProblem(answer)).toBe(problem);
  });
});
