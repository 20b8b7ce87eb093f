import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import {
  addressedIn,
  calledAll,
  recipientsOf,
  recipientsProblem,
  sameRecipients,
  toField,
  unknownIn,
  withRecipient,
} from './recipients.js';

const AGENTS = ['manager', 'scout', 'miner'];

describe(verifies('1.1', '1.6', '7.3') + 'whom a message is for', () => {
  it.each([
    ['@scout hello', ['scout'], 'hello'],
    ['@scout @miner hello', ['scout', 'miner'], 'hello'],
    ['@scout, @miner, hello', ['scout', 'miner'], 'hello'],
    ['@* stop', ['*'], 'stop'],
    ['@scout', [], '@scout'],
    ['@nobody hello', [], '@nobody hello'],
    ['@scout @nobody hello', ['scout'], '@nobody hello'],
    ['tell @scout so', [], 'tell @scout so'],
    ['@scout  \n@miner two lines', ['scout', 'miner'], 'two lines'],
  ])('is read from %j', (text, names, rest) => {
    expect(addressedIn(text, AGENTS)).toEqual({ names, rest });
  });

  it('is each name once, and everybody stands alone', () => {
    expect(withRecipient(['scout'], 'scout')).toEqual(['scout']);
    expect(withRecipient(['scout'], 'miner')).toEqual(['scout', 'miner']);
    expect(withRecipient(['scout', 'miner'], '*')).toEqual(['*']);
    expect(withRecipient(['*'], 'miner')).toEqual(['miner']);
  });

  it.each<[names: string[], agents: string[], words: string]>([
    [['scout', 'miner'], AGENTS, 'nothing'],
    [['*'], AGENTS, 'nothing'],
    [[], AGENTS, 'Choose whom it is for'],
    [['*'], [], 'There is no agent yet'],
    [['scout', 'ghost'], AGENTS, 'no agent called ghost. Take it out'],
    [['ghost', 'wraith'], AGENTS, 'no agent called ghost or wraith. Take them out'],
  ])('%j among %j: %s', (names, agents, words) => {
    expect(recipientsProblem(names, agents) ?? 'nothing').toContain(words);
  });

  it('is at most 32 names', () => {
    const many = Array.from({ length: 33 }, (_, n) => `a${n}`);
    expect(recipientsProblem(many.slice(1), many)).toBeUndefined();
    expect(recipientsProblem(many, many)).toContain('32 names at most, and this one has 33');
  });

  it('goes to the API as one name or as a list, and comes back as one text', () => {
    expect(toField(['scout'])).toBe('scout');
    expect(toField(['*'])).toBe('*');
    expect(toField(['scout', 'miner'])).toEqual(['scout', 'miner']);
    expect(recipientsOf({ to: 'scout, miner' })).toEqual(['scout', 'miner']);
    expect(sameRecipients(recipientsOf({ to: 'scout, miner' }), ['miner', 'scout'])).toBe(true);
    expect(sameRecipients(['scout'], ['scout', 'miner'])).toBe(false);
  });

  it('names who is not there', () => {
    expect(unknownIn('@ghost hello', AGENTS)).toBe('ghost');
    expect(unknownIn('@scout hello', AGENTS)).toBeUndefined();
    expect(unknownIn('mail @ghost', AGENTS)).toBeUndefined();
  });

  it('is said in words', () => {
    expect(calledAll(['*'])).toBe('everybody');
    expect(calledAll(['scout', 'operator'])).toBe('scout, you');
    expect(calledAll(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c and 2 more');
  });
});
