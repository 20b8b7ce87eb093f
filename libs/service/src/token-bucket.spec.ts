import { beforeEach, describe, expect, it } from 'vitest';

import { ManualClock } from './clock.js';
import { TokenBucket } from './token-bucket.js';

describe('a token bucket', () => {
  let clock: ManualClock;
  let bucket: TokenBucket;
  beforeEach(() => {
    clock = new ManualClock();
    bucket = new TokenBucket(clock, 2, 3);
  });

  it('starts full, and fills with its rate up to its burst', () => {
    for (let n = 0; n < 3; n += 1) {
      expect(bucket.waitMs()).toBe(0);
      bucket.take();
    }
    expect([bucket.free, bucket.waitMs(), bucket.waitMs(2)]).toEqual([0, 500, 1000]);
    clock.advance(499);
    expect([bucket.free, bucket.waitMs()]).toEqual([0, 1]);
    clock.advance(1);
    expect([bucket.free, bucket.waitMs()]).toEqual([1, 0]);
    clock.advance(3_600_000);
    expect(bucket.free).toBe(3);
  });

  it('is full again after exactly its time, whatever the fractions', () => {
    const tenth = new TokenBucket(clock, 0.1, 7);
    tenth.take(7);
    for (let n = 0; n < 700; n += 1) {
      clock.advance(100);
      void tenth.free;
    }
    expect([tenth.free, tenth.waitMs(7)]).toEqual([7, 0]);
  });

  it('lets pass what costs more than its burst when it is full, and is paid off afterwards', () => {
    expect(bucket.waitMs(5)).toBe(0);
    bucket.take(5);
    expect([bucket.free, bucket.waitMs()]).toEqual([-2, 1500]);
  });

  it('has back what was not used', () => {
    bucket.take(3);
    bucket.giveBack(3);
    expect(bucket.free).toBe(3);
  });

  it('follows another rate and burst, and starts not full again', () => {
    bucket.take(3);
    bucket.limit(1, 10);
    expect([bucket.free, bucket.waitMs()]).toEqual([0, 1000]);
    clock.advance(4000);
    bucket.limit(1, 2);
    expect(bucket.free).toBe(2);
  });

  it('that never fills says so', () => {
    const never = new TokenBucket(clock, 0, 1);
    never.take();
    expect(never.waitMs()).toBe(Infinity);
  });

  it('goes by monotonic time: a wall clock that jumps changes nothing', () => {
    bucket.take(3);
    clock.jump(3_600_000);
    expect(bucket.free).toBe(0);
  });
});
