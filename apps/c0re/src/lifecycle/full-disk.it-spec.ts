import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { SmallDisk } from '../../../../test/support/small-disk.js';
import { AgentRepository } from '../agents/agent.repository.js';
import { C0reFixture } from '../testing/c0re.fixture.js';
import { describeAsRoot } from '../testing/describe-as-root.js';

const MEGABYTES = 64;
/** The machine may be busy. */
const PATIENT = { timeout: 20_000 };

describeAsRoot(verifies('4.8', '5.1', 'P4') + 'a harness that ends while the disk is full', () => {
  let hive: C0reFixture;
  let disk: SmallDisk;

  beforeEach(async () => {
    hive = new C0reFixture();
    const mounted = SmallDisk.mount(hive.home, MEGABYTES);
    if (typeof mounted === 'string') throw new Error(mounted);
    disk = mounted;
    await hive.start();
  });
  afterEach(async () => {
    disk.free();
    vi.restoreAllMocks();
    await hive.post('admin', '/v1/agents/stop-all');
    await hive.stop();
    disk.unmount();
    await hive.remove();
  });

  it('is started again when there is room', async () => {
    await hive.spawn('ada');
    await expect.poll(() => hive.noted('ada', 'ready.json'), PATIENT).toBeGreaterThan(0);
    const { pid } = await hive.agent('ada');
    const change = vi.spyOn(hive.get(AgentRepository), 'change');
    const refusedWrites = () => change.mock.results.filter(({ type }) => type === 'throw').length;

    await disk.fill();
    process.kill(pid as number, 'SIGKILL');
    // The crash could not be noted, and neither could the first tries to start it again.
    await expect.poll(refusedWrites, PATIENT).toBeGreaterThan(3);
    expect(await hive.agent('ada')).toMatchObject({ instance: 1, pid: null });

    disk.free();
    await expect.poll(async () => (await hive.agent('ada')).instance, PATIENT).toBe(2);
    await expect.poll(async () => (await hive.agent('ada')).state, PATIENT).toBe('running');
  });
});
