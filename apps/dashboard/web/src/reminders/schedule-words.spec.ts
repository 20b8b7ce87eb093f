import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { repeats } from './schedule-words.js';

describe(verifies('3.1', '7.3') + 'when a repeating reminder comes, in words', () => {
  it.each([
    ['PT5M', null, 'every 5 minutes'],
    ['PT1H', null, 'every hour'],
    ['PT1H30M', null, 'every hour 30 minutes'],
    ['P1DT12H', null, 'every day 12 hours'],
    ['P2W', null, 'every 2 weeks'],
    ['PT90S', null, 'every 90 seconds'],
    ['P', null, 'by P'],
    ['0 9 * * 1-5', 'Europe/Zurich', 'by 0 9 * * 1-5, Europe/Zurich'],
    ['*/10 * * * *', null, 'by */10 * * * *'],
  ])('%s %s', (every, zone, words) => {
    expect(repeats(every, zone)).toBe(words);
  });
});
