import { afterEach, beforeEach } from 'vitest';

import { StandInClone } from './stand-in-clone.js';
import { SupervisorRun, type RunOptions } from './supervisor-run.js';

/** A clone of its own for each test of this `describe`, and the runs that are ended after it. */
export interface StandInStarts {
  readonly clone: StandInClone;
  begin: (options?: RunOptions) => Promise<SupervisorRun>;
  ready: (options?: RunOptions) => Promise<SupervisorRun>;
}

export function standInStarts(): StandInStarts {
  let clone: StandInClone;
  const runs: SupervisorRun[] = [];

  beforeEach(() => {
    clone = new StandInClone();
  });
  afterEach(async () => {
    for (const run of runs.splice(0)) {
      run.child.kill('SIGTERM');
      await run.ended;
    }
    clone.remove();
  });

  const begin = async (options?: RunOptions) => {
    const run = await SupervisorRun.begin(clone, options);
    runs.push(run);
    return run;
  };
  return {
    get clone() {
      return clone;
    },
    begin,
    ready: async (options) => {
      const run = await begin(options);
      await run.untilReady();
      return run;
    },
  };
}
