import { describe, expect, it } from 'vitest';

import { verifies } from '../../../test/requirements/verifies.js';
import { ERROR_STATUS, HiveError, toErrorBody } from './errors.js';
import { formatSeq, parseSeq } from './events.js';
import { formatId, parseId } from './ids.js';
import { agentNameProblem } from './names.js';
import { assertBody, clip, isoTime } from './text.js';

describe('agent names', () => {
  it.each(['a', 'alice', 'a1-b2', 'x'.repeat(32)])('takes %j', (name) => {
    expect(agentNameProblem(name)).toBeUndefined();
  });

  it.each([
    '',
    'A',
    '1a',
    '-x',
    'a_b',
    'a/b',
    '..',
    'a\n',
    'x'.repeat(33),
    'ä',
    'a b',
    'a;id',
    '*',
  ])('refuses %j', (name) => {
    expect(agentNameProblem(name)).toMatch(/is not an agent name: it must match/);
  });

  it.each(['operator', 'manager', 'system', 'reminder', 'self'])('keeps %s reserved', (name) => {
    expect(agentNameProblem(name)).toMatch(/reserved/);
  });

  it('gives the name manager to the manager alone', () => {
    expect(agentNameProblem('manager', 'manager')).toBeUndefined();
    expect(agentNameProblem('boss', 'manager')).toBe(
      'the manager\'s name is "manager", not "boss"',
    );
  });
});

describe(verifies('1.1', 'P33') + 'bodies', () => {
  it('counts bytes, not characters', () => {
    expect(() => assertBody('ä'.repeat(2048))).not.toThrow();
    expect(() => assertBody('ä'.repeat(2049))).toThrow(
      /4098 bytes of UTF-8, the limit is 4096; put the text in a file/,
    );
    expect(() => assertBody('x'.repeat(4096))).not.toThrow();
    expect(() => assertBody('x'.repeat(4097))).toThrow(HiveError);
  });

  it('refuses what cannot be stored byte for byte', () => {
    expect(() => assertBody('')).toThrow(/empty/);
    expect(() => assertBody('a\0b')).toThrow(/NUL/);
    expect(() => assertBody('a\uD800b')).toThrow(/lone surrogate/);
    expect(() => assertBody('\u202Eright to left, 𝒳, \u0007')).not.toThrow();
  });

  it('clips without cutting a pair in half', () => {
    expect(clip('abc', 3)).toBe('abc');
    expect(clip('𝒳𝒳', 2).isWellFormed()).toBe(true);
    expect(clip('abcdef', 4)).toBe('abc…');
  });
});

describe('wire forms', () => {
  it('writes times as ISO 8601 with milliseconds in UTC', () => {
    expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z');
  });

  it('reads its own ids and no others', () => {
    expect(formatId('m', 12)).toBe('m12');
    expect(parseId('m', 'm12')).toBe(12);
    for (const bad of [
      't12',
      'm0',
      'm-1',
      'm1.5',
      'm',
      '12',
      'm12 ',
      'm1e3',
      'm9999999999999999',
    ]) {
      expect(parseId('m', bad)).toBeUndefined();
    }
  });

  it(verifies('P38') + 'reads a seq of epoch and number', () => {
    expect(parseSeq('1760000000000-7')).toEqual({ epoch: 1_760_000_000_000, n: 7 });
    expect(formatSeq({ epoch: 5, n: 1 })).toBe('5-1');
    for (const bad of ['', '5', '5-', '-1', 'a-b', '5-1-1']) expect(parseSeq(bad)).toBeUndefined();
  });

  it('shows a HiveError as it is and hides everything else', () => {
    expect(toErrorBody(new HiveError('not_found', 'no such thing', { id: 1 }))).toEqual({
      error: { code: 'not_found', message: 'no such thing', details: { id: 1 } },
    });
    const hidden = toErrorBody(new Error('SELECT secret'));
    expect(hidden.error.code).toBe('internal');
    expect(JSON.stringify(hidden)).not.toContain('SELECT');
    expect(HiveError.from({ code: 'nonsense', message: 'x' }).code).toBe('internal');
    expect(new HiveError('superseded', 'x').status).toBe(ERROR_STATUS.superseded);
  });
});
