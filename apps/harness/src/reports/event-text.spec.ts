import { describe, expect, it } from 'vitest';

import { LIMITS, type TurnEvent } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { fitEvent, redacted, redactor, secretValues } from './event-text.js';

const event = (more: Partial<TurnEvent>): TurnEvent => ({
  n: 0,
  at: '2026-11-22T10:00:00.000Z',
  kind: 'text',
  ...more,
});
const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value), 'utf8');

describe(verifies('6.5') + 'size of a live event', () => {
  it('leaves what fits as it is', () => {
    const small = event({ text: 'ä'.repeat(1000), input: { a: 1 } });
    expect(fitEvent(small)).toEqual(small);
  });

  it.each([
    ['letters', 'a'],
    ['control characters', '\u0001'],
    ['surrogate pairs', '🐝'],
  ])('cuts %s to the limit, well-formed, and says so', (_, letter) => {
    const fitted = fitEvent(event({ text: letter.repeat(200_000) }));
    expect(bytes(fitted)).toBeLessThanOrEqual(LIMITS.turn_event_bytes);
    expect(bytes(fitted)).toBeGreaterThan(LIMITS.turn_event_bytes / 2);
    expect(fitted.text).toMatch(/… \(cut\)$/);
    expect(fitted.text?.isWellFormed()).toBe(true);
  });

  it('cuts a large input', () => {
    const fitted = fitEvent(
      event({ kind: 'tool_use', tool: 'Write', input: { content: '"'.repeat(300_000) } }),
    );
    expect(bytes(fitted)).toBeLessThanOrEqual(LIMITS.turn_event_bytes);
    expect(fitted.tool).toBe('Write');
  });
});

describe(verifies('8.4') + 'secrets in live events', () => {
  it('are replaced, and short values are left alone', () => {
    const redact = redactor(['run_abcdefgh', 'short', '']);
    expect(redact('token run_abcdefgh, short word')).toBe('token [secret], short word');
  });

  it.each(['pass"word"1', 'back\\slash12', 'ends-with-\\'])(
    'are replaced anywhere in an input, whatever characters they hold: %s',
    (secret) => {
      const input = { command: `echo '${secret}'`, list: [secret, 7, null], [secret]: true };
      const { input: shown } = redacted({ kind: 'tool_use', input }, redactor([secret]));
      expect(shown).toEqual({
        command: "echo '[secret]'",
        list: ['[secret]', 7, null],
        '[secret]': true,
      });
    },
  );

  it('are those of variables whose names say so', () => {
    const env = { ANTHROPIC_API_KEY: 'a', GH_TOKEN: 'b', DB_PASSWORD: 'c', PAGER: 'less' };
    expect(secretValues(env)).toEqual(['a', 'b', 'c']);
  });
});
