import { symlinkSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Message } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { HarnessBench } from '../testing/harness-bench.js';

let bench: HarnessBench;
beforeEach(async () => {
  bench = await HarnessBench.create();
});
afterEach(() => bench.stop());

const ended = () =>
  expect.poll(() => bench.hive.ends.length, { timeout: 20_000 }).toBeGreaterThan(0);

function aReminder(file_path: string): Partial<Message> & { body: string } {
  return {
    body: 'y'.repeat(20_000),
    kind: 'reminder',
    reminder: {
      id: 'r1',
      occurrence: 1,
      due_at: '2026-01-01T00:00:00.000Z',
      late_seconds: 0,
      missed: 0,
      file_path,
    },
  };
}

describe(verifies('3.1', 'P23') + 'a reminder with a long body', () => {
  it('is in its file before the CLI starts, and the prompt names it', async () => {
    bench.program('cat > prompt; cp reminders/r1.md seen');
    bench.start();
    bench.hive.grant([aReminder('reminders/r1.md')]);
    await ended();
    expect(bench.hive.ends[0]?.end.result_kind).toBe('ok');
    expect(bench.read('seen')).toBe('y'.repeat(20_000));
    expect(bench.read('prompt')).toContain(bench.at('state/reminders/r1.md'));
    expect(bench.read('prompt')).not.toContain('yyy');
  });

  it('fails its turn without a CLI when the file cannot be written, and says why', async () => {
    symlinkSync(bench.at('shared'), bench.at('state/reminders'));
    bench.program('touch started');
    bench.start();
    bench.hive.grant([aReminder('reminders/r1.md')]);
    await ended();
    expect(bench.hive.ends[0]?.end).toMatchObject({ result_kind: 'failed', shown: [] });
    expect(bench.hive.ends[0]?.end.note).toContain('reminders/r1.md');
    expect(() => bench.read('started')).toThrow('ENOENT');
  });
});
