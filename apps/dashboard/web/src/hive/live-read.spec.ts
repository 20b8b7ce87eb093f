import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { LiveRead } from './live-read.js';

describe(verifies('7.1', '7.4') + 'what is read again after events', () => {
  let reads: number;
  let answers: (() => void)[];
  let live: LiveRead;

  beforeEach(() => {
    vi.useFakeTimers();
    reads = 0;
    answers = [];
    live = new LiveRead(() => {
      reads += 1;
      return new Promise((resolve) => {
        answers.push(resolve);
      });
    });
  });
  afterEach(() => vi.useRealTimers());

  const answered = async (): Promise<void> => {
    answers.shift()?.();
    await vi.advanceTimersByTimeAsync(0);
  };

  it('is read once for many events, soon', async () => {
    for (let n = 0; n < 50; n += 1) live.changed();
    await vi.advanceTimersByTimeAsync(119);
    expect(reads).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(reads).toBe(1);
  });

  it('is read once more when something changes while it is read', async () => {
    void live.now();
    live.changed();
    live.changed();
    await vi.advanceTimersByTimeAsync(5000);
    expect(reads).toBe(1);
    await answered();
    await vi.advanceTimersByTimeAsync(1000);
    expect(reads).toBe(2);
  });

  it('is never read without an event, and at most once a second with many', async () => {
    void live.now();
    await answered();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(reads).toBe(1);
    for (let ms = 0; ms < 10_000; ms += 50) {
      live.changed();
      await vi.advanceTimersByTimeAsync(50);
      await answered();
    }
    expect(reads).toBeGreaterThanOrEqual(9);
    expect(reads).toBeLessThanOrEqual(12);
  });

  it('is not read any more once it is left', async () => {
    live.changed();
    live.stop();
    await vi.advanceTimersByTimeAsync(5000);
    live.changed();
    await vi.advanceTimersByTimeAsync(5000);
    expect(reads).toBe(0);
  });
});
