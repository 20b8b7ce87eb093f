import { afterAll, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';

const AGENTS = ['manager', 'alice', 'bob', 'carol'];
const MINUTES = 60;

afterAll(removeTestFolders);

it(
  verifies('1.13', 'P15', 'I12') +
    'an idle hour starts no turn, whatever maintenance runs meanwhile',
  async () => {
    const swarm = await Swarm.open(AGENTS);
    for (const name of AGENTS) await swarm.hello(name);
    // What was said before is done: a turn of each, ended well.
    for (const name of AGENTS) {
      await swarm.operatorSends(name, 'hello');
      await swarm.end(await swarm.turn(name));
    }
    let granted = 0;
    for (let minute = 0; minute < MINUTES; minute += 1) {
      const polls = AGENTS.map((name) => swarm.poll(name, { wait_seconds: 50 }));
      await swarm.pass(60);
      const answers = await Promise.all(polls);
      granted += answers.filter((answer) => answer.turn !== null).length;
      await swarm.broker.scheduler.sweep_leases({}, swarm.context());
      const { woken } = await swarm.broker.scheduler.check_wakes({}, swarm.context());
      granted += woken;
    }
    expect(granted).toBe(0);
    // The same harnesses are woken at once when there is something to do.
    const poll = swarm.poll('alice', { wait_seconds: 50 });
    await swarm.operatorSends('alice', 'work');
    expect((await poll).turn).not.toBeNull();
    await swarm.broker.close();
  },
);
