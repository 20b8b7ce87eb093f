#!/usr/bin/env node
// npm run bench: sets the clone up, then measures on Node 24. Words after -- go to the benchmarks.
import { inClone } from './setup/clone.mjs';
import { handOver } from './setup/hand-over.mjs';
import { setUp } from './setup/set-up.mjs';

const args = process.argv.slice(2);
const { node } = await setUp(args);
handOver(node, ['--enable-source-maps', inClone('dist', 'bench', 'main.js'), ...args]);
