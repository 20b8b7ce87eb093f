import { afterEach, describe, expect, it } from 'vitest';

import type { C0reAnswers } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reFixture, isRoot } from '../testing/c0re.fixture.js';

let hive: C0reFixture;
afterEach(async () => {
  await hive.remove();
});

describe(verifies('4.2') + 'the trial of the container drivers', () => {
  it('says which work on this machine and why not, to all who ask at once', async () => {
    hive = await C0reFixture.started();
    const ask = () => hive.getJson<C0reAnswers['drivers']>('admin', '/v1/container-drivers');
    const [one, other] = await Promise.all([ask(), ask()]);
    expect(other).toEqual(one);
    const of = (name: string) => one.drivers.find((trial) => trial.name === name);
    expect(of('process')).toEqual({ name: 'process', in_use: true, obstacle: null });
    expect(of('bubblewrap')).toEqual({ name: 'bubblewrap', in_use: false, obstacle: null });
    expect(of('nspawn')?.obstacle).toBe(isRoot ? null : 'systemd-nspawn needs root');
    expect(of('nixos-container')?.obstacle).toMatch(/nixos-container (cannot be run|needs root)/);
  });
});
