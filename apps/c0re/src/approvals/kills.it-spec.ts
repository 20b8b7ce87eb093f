import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { DEPLOY_STEPS } from '../deploys/steps.js';
import { C0reFixture } from '../testing/c0re.fixture.js';
import { C0reProcess } from '../testing/c0re.process.js';
import { ConfigBench, yamlOf } from '../testing/config-bench.js';

/** The machine may be busy. */
const PATIENT = { timeout: 60_000 };
const STEPS = path.resolve(import.meta.dirname, '../../../../dist/apps/c0re/src/deploys/steps.js');

let hive: C0reFixture;
let bench: ConfigBench;
let c0re: C0reProcess;

beforeEach(() => {
  hive = new C0reFixture();
  bench = new ConfigBench(hive);
});
afterEach(async () => {
  await hive.post('admin', '/v1/agents/stop-all').catch(() => {});
  await c0re.end('SIGKILL');
  await hive.remove();
}, 60_000);

/** A c0re that ends itself as by SIGKILL at that step; without one, one that does not. */
async function start(step?: string): Promise<void> {
  const code = `import { DeploySteps } from ${JSON.stringify(pathToFileURL(STEPS).href)};
DeploySteps.prototype.reached = (step) => {
  if (step === ${JSON.stringify(step)}) process.kill(process.pid, 'SIGKILL');
};`;
  const load =
    step === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(code)}`];
  c0re = new C0reProcess(hive, {}, load);
  await c0re.ready();
}

/** Steps of a deploy that fails, in a c0re of its own. */
const FAILING: ReadonlySet<string> = new Set(['failing', 'restored', 'failed-tagged']);

describe(verifies('4.4', 'P28') + 'a c0re that is killed in a deploy goes on with it', () => {
  it.each(DEPLOY_STEPS.map((step) => [step]))(
    'at %s',
    async (step) => {
      await start();
      await bench.populate('ada');
      const before = await hive.agent('ada');
      const isFailing = FAILING.has(step);
      const sha = bench.commit('ada', {
        'agent.yaml': isFailing ? yamlOf(['exit', '3']) : yamlOf(['idle'], 'model: new\n'),
        'new.txt': 'new',
      });
      const { id } = await bench.applyCommit('ada', sha);
      await c0re.end('SIGTERM');

      await start(step);
      await bench.approve(id).catch(() => {}); // Its answer dies with it.
      await c0re.exited;

      await start();
      const end = isFailing ? 'failed' : 'deployed';
      await expect.poll(async () => (await bench.approval(id)).state, PATIENT).toBe(end);
      await expect.poll(async () => (await hive.agent('ada')).state, PATIENT).toBe('running');
      const after = await hive.agent('ada');
      const expected = isFailing ? before.deployed_sha : sha;
      expect(after.deployed_sha).toBe(expected);
      expect(after.config.model).toBe(isFailing ? null : 'new');
      expect(bench.main('ada')).toBe(expected);
      expect(bench.deployed('ada', 'agent.yaml')).toBe(
        bench.applied('ada', 'show', `${expected}:agent.yaml`) + '\n',
      );
      expect(Object.keys(bench.tags('ada')).toSorted()).toEqual(
        ['approved/a1', 'building/a1', 'deployed/0', `${end}/a1`, 'proposal/a1'].toSorted(),
      );
      expect(bench.metaLog().filter((line) => line.includes(' deployed/a1 '))).toHaveLength(
        isFailing ? 0 : 1,
      );
      expect(bench.applied('ada', 'for-each-ref', '--format=%(refname)', 'refs/hive/a1')).toBe('');
    },
    180_000,
  );
});
