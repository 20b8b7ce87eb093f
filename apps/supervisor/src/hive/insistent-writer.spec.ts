import { describe, expect, it, vi } from 'vitest';

import { ManualClock } from '#libs/service';

import { verifies } from '../../../../test/requirements/verifies.js';
import { InsistentWriter } from './insistent-writer.js';

const full = (): never => {
  throw new Error('ENOSPC: no space left on device, write');
};

describe(verifies('10.1') + 'files of the supervisor on a full disk', () => {
  it('are written when there is room again, and the trouble is told once', () => {
    const clock = new ManualClock();
    const told = vi.fn<(error: Error) => void>();
    const writer = new InsistentWriter(clock, told);
    let hasRoom = false;
    const written: string[] = [];
    writer.write(() => (hasRoom ? void written.push('state') : full()));
    clock.advance(3000);
    expect(told).toHaveBeenCalledTimes(1);
    hasRoom = true;
    clock.advance(1000);
    expect(written).toEqual(['state']);
    clock.advance(5000);
    expect(written).toEqual(['state']);
  });

  it('are not written again after something newer was, nor after the end', () => {
    const clock = new ManualClock();
    const writer = new InsistentWriter(clock, () => {});
    const older = vi.fn<() => void>(full);
    writer.write(older);
    writer.write(() => {});
    const last = vi.fn<() => void>(full);
    writer.write(last);
    writer.stop();
    clock.advance(5000);
    expect(older).toHaveBeenCalledTimes(1);
    expect(last).toHaveBeenCalledTimes(1);
  });
});
