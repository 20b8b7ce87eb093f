import { describe, expect, it } from 'vitest';

import { HiveError } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { answerText } from './answer-text.js';

function refusal(answer: string | string[], multi: boolean): string | undefined {
  try {
    answerText(answer, multi);
    return undefined;
  } catch (error) {
    if (error instanceof HiveError) return error.code;
    throw error;
  }
}

describe(verifies('2.2') + 'the text of an answer', () => {
  it.each<[string | string[], boolean, string]>([
    ['yes', false, 'yes'],
    [' yes\r\n', true, ' yes\r\n'],
    [['yes'], false, 'yes'],
    [['a', 'b', 'words of my own'], true, 'a, b, words of my own'],
    ['\u202eyes\u200f', false, '\u202eyes\u200f'],
    ['ü'.repeat(2048), false, 'ü'.repeat(2048)],
  ])('of %j (several: %j) is %j', (answer, multi, text) => {
    expect(answerText(answer, multi)).toBe(text);
  });

  it.each<[string | string[], boolean, string]>([
    ['', true, 'invalid_request'],
    ['\t', true, 'invalid_request'],
    [[], true, 'invalid_request'],
    [['a', ' '], true, 'invalid_request'],
    [['a', 'b'], false, 'invalid_request'],
    ['a\0', true, 'invalid_request'],
    [['a', '\udfff'], true, 'invalid_request'],
    [['\ud83d', '\ude00'], true, 'invalid_request'],
    [['x'.repeat(2048), 'x'.repeat(2047)], true, 'body_too_long'],
  ])('of %j (several: %j) is refused', (answer, multi, code) => {
    expect(refusal(answer, multi)).toBe(code);
  });
});
