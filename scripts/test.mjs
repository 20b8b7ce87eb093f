#!/usr/bin/env node
// npm test: the set-up of npm start and what the tests need besides (a browser, git, containers, the real agent CLI),
// then every test in one run, which closes with the line "N passed, N failed". Words after -- narrow it down, as in:
// npm test -- test/faults
import { inClone } from './setup/clone.mjs';
import { ensureContainers } from './setup/containers.mjs';
import { ensureDependenciesOf } from './setup/dependencies.mjs';
import { handOver } from './setup/hand-over.mjs';
import { setUp } from './setup/set-up.mjs';
import { ensureProgram } from './setup/system-packages.mjs';

const args = process.argv.slice(2);
const { node } = await setUp(args, async () => {
  await ensureProgram('git', ['git'], 'the tests need git');
  await ensureProgram(
    'chromium',
    ['chromium', 'chromium-browser'],
    'the browser tests need Chromium',
  );
  await ensureContainers();
  await ensureDependenciesOf(
    inClone('test', 'real'),
    'installing the real Claude Code CLI for its tests (npm ci)',
  );
});
const projects = ['unit', 'integration', 'system'].flatMap((name) => ['--project', name]);
handOver(node, [inClone('node_modules', 'vitest', 'vitest.mjs'), 'run', ...projects, ...args]);
