import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { fitting, tokenAt } from './completion.js';

describe(verifies('7.3') + 'what is completed in a message', () => {
  it.each([
    ['@', 1, { sign: '@', part: '', from: 0 }],
    ['@Mana', 5, { sign: '@', part: 'mana', from: 0 }],
    ['tell @mi', 8, { sign: '@', part: 'mi', from: 5 }],
    ['/mod', 4, { sign: '/', part: 'mod', from: 0 }],
    ['@mi and more', 3, { sign: '@', part: 'mi', from: 0 }],
    ['@*', 2, { sign: '@', part: '*', from: 0 }],
  ])('%j with the caret at %i', (text, caret, token) => {
    expect(tokenAt(text, caret)).toEqual(token);
  });

  it.each([
    ['mail me at a@b', 14],
    ['and/or', 6],
    ['@mi and more', 8],
    ['', 0],
  ])('%j with the caret at %i is nothing to complete', (text, caret) => {
    expect(tokenAt(text, caret)).toBeUndefined();
  });

  it('offers everybody at the end, however many agents there are', () => {
    const agents = Array.from({ length: 20 }, (_, n) => ({ value: `a${n}`, hint: '' }));
    const all = [...agents, { value: '*', hint: 'everybody', always: true }];
    const values = fitting(all, '').map(({ value }) => value);
    expect(values).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', '*']);
    expect(fitting(all, '*').map(({ value }) => value)).toEqual(['*']);
    expect(fitting(all, 'a1').map(({ value }) => value)).not.toContain('*');
  });
});
