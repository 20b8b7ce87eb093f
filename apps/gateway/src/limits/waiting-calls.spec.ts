import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { WaitingCalls } from './waiting-calls.service.js';

describe(`${verifies('P36')}waiting calls of one agent`, () => {
  it('are eight at most, and one more when one has ended', () => {
    const waiting = new WaitingCalls();
    const leave = Array.from({ length: 8 }, () => waiting.enter('tool', '1'));
    expect(() => waiting.enter('tool', '1')).toThrow(/limit is 8/);
    leave[3]?.();
    expect(() => waiting.enter('tool', '1')).not.toThrow();
    expect(() => waiting.enter('tool', '1')).toThrow(/limit is 8/);
  });

  it('do not count against another agent, nor against its harness', () => {
    const waiting = new WaitingCalls();
    for (let n = 0; n < 8; n++) waiting.enter('tool', '1');
    expect(() => waiting.enter('tool', '2')).not.toThrow();
    expect(() => waiting.enter('harness', '1')).not.toThrow();
  });
});
