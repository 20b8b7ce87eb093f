import { describe, expect, it } from 'vitest';

import { ManualClock } from '#libs/service';

import { NotableLines } from './notable-lines.js';

function line(level: number, msg: string): string {
  return `${JSON.stringify({ level, msg })}\n`;
}

function lines(clock = new ManualClock()): (text: string) => string[] {
  const notable = new NotableLines(clock);
  return (text) => notable.take(Buffer.from(text)).map((one) => `${one.level}: ${one.text}`);
}

describe('what of a service’s output is shown on the terminal', () => {
  it('is warnings and errors', () => {
    expect(lines()(line(30, 'hello') + line(40, 'careful') + line(60, 'dead'))).toEqual([
      'warn: careful',
      'error: dead',
    ]);
  });

  it('is the message of an exception, not its stack', () => {
    const text = 'node:internal/x:1\nTypeError: no\n    at a (b.js:1:2)\nFatal: y\n';
    expect(lines()(text)).toEqual(['error: TypeError: no', 'error: Fatal: y']);
  });

  it('is put together when it comes in pieces', () => {
    const take = lines();
    const whole = line(50, 'broken');
    expect([...take(whole.slice(0, 9)), ...take(whole.slice(9))]).toEqual(['error: broken']);
  });

  it('holds no control characters and is bounded', () => {
    const [shown = ''] = lines()(line(50, `\u001B[31m${'x'.repeat(1000)}`));
    expect(shown).not.toContain('\u001B');
    expect(shown.length).toBeLessThan(320);
  });

  it('is cut when it floods, and goes on later', () => {
    const clock = new ManualClock();
    const take = lines(clock);
    const shown = take(line(40, 'again').repeat(1000));
    expect(shown).toHaveLength(11);
    expect(shown.at(-1)).toContain('more of these stand in the log');
    clock.advance(10_000);
    expect(take(line(40, 'later'))).toEqual(['warn: later']);
  });
});
