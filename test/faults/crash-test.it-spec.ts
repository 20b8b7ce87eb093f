import { describe, expect, it } from 'vitest';

import { toText } from '../crash/report.js';
import { runCrashTest } from '../crash/run.js';
import { verifies } from '../requirements/verifies.js';

/** Each kind of fault comes once before one comes again: this is long enough for all of them. */
const OPTIONS = {
  minutes: 0.4,
  agents: 8,
  seed: 20_261_129,
  faultsPerMinute: 60,
  messagesPerMinute: 120,
};
/** With the start, the last recoveries and the draining; the machine may be slow. */
const TIMEOUT_MS = 8 * 60_000;
const LEAST_FAULTS = 15;

describe(verifies('1.2', '3.4', 'P21', 'P22', 'I1', 'I2', 'I8', 'I9') + 'the crash test', () => {
  it(
    'loses nothing and shows nothing twice unmarked while everything is being killed',
    async () => {
      const report = await runCrashTest({ ...OPTIONS, tell: () => {} });
      // The whole report is what helps when one of the numbers is not 0.
      expect(report.passed ? 'passed' : toText(report)).toBe('passed');
      expect(report.facts['faults']).toBeGreaterThanOrEqual(LEAST_FAULTS);
      expect(report.facts['messages sent']).toBeGreaterThan(50);
      expect(report.exit_code).toBe(0);
    },
    TIMEOUT_MS,
  );
});
