import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { HiveError } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { inputError, refusal } from './refusal.js';

const input = z.strictObject({
  max: z.int().min(1).max(32),
  text: z.string().min(1).max(10).optional(),
  kind: z.enum(['low', 'high']).optional(),
  ids: z.array(z.string()).min(1).max(2).optional(),
});

function problemOf(args: unknown): HiveError {
  const parsed = input.safeParse(args, { reportInput: true });
  if (parsed.success) throw new Error('the input was taken');
  return inputError('demo', ['max', 'text', 'kind', 'ids'], parsed.error);
}

describe(`${verifies('8.3')}refused input`, () => {
  it.each([
    [{}, '"max" is missing'],
    [{ max: 'x' }, '"max" must be a number'],
    [{ max: 1.5 }, '"max" must be a whole number'],
    [{ max: 0 }, '"max" must be at least 1'],
    [{ max: 33 }, '"max" is over the limit of 32'],
    [{ max: null }, '"max" must be a number'],
    [{ max: 1, text: '' }, '"text" must be at least 1 character'],
    [{ max: 1, text: 'x'.repeat(11) }, '"text" is over the limit of 10 characters'],
    [{ max: 1, kind: 'mid' }, '"kind" must be one of "low", "high"'],
    [{ max: 1, ids: [] }, '"ids" must be at least 1 item'],
    [{ max: 1, ids: ['a', 'b', 'c'] }, '"ids" is over the limit of 2 items'],
    [{ max: 1, ids: ['a', 2] }, '"ids.1" must be a string'],
    ['text', 'the arguments must be one JSON object'],
    [[1], 'the arguments must be one JSON object'],
  ])('%j is explained', (args, expected) => {
    const { code, message } = problemOf(args);
    expect(code).toBe('invalid_request');
    expect(message).toContain(expected);
    expect(message).toContain('demo takes: max, text, kind, ids');
  });

  it('names unknown fields', () => {
    const { code, message } = problemOf({ max: 1, wait: 3, 'a"b': 1 });
    expect(code).toBe('unknown_field');
    expect(message).toContain('unknown fields "wait", "a\\"b"');
  });

  it('stays short, whatever was sent', () => {
    const many = Object.fromEntries(
      Array.from({ length: 500 }, (_, n) => [`${'x'.repeat(500)}${n}`, n]),
    );
    expect(problemOf({ max: 1, ...many }).message.length).toBeLessThan(800);
  });
});

describe(`${verifies('8.3', '8.4')}a refused call`, () => {
  it('is a result with the text for the model and the code for programs', () => {
    expect(refusal(new HiveError('inbox_full', 'bob has 1000 messages queued'))).toEqual({
      isError: true,
      content: [{ type: 'text', text: 'Refused (inbox_full): bob has 1000 messages queued' }],
      _meta: { 'hyperhive/error': { code: 'inbox_full', message: 'bob has 1000 messages queued' } },
    });
  });

  it('says nothing of what broke inside', () => {
    const text = JSON.stringify(refusal(new Error('SELECT secret FROM table at /srv/x.ts:1')));
    expect(text).toContain('internal');
    expect(text).not.toContain('secret');
    expect(text).not.toContain('/srv');
  });
});
