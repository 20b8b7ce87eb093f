#!/usr/bin/env node
// npm run crash-test: sets the clone up, then breaks a running hive and counts what was lost. Words after -- go to the test.
import { inClone } from './setup/clone.mjs';
import { handOver } from './setup/hand-over.mjs';
import { setUp } from './setup/set-up.mjs';

const args = process.argv.slice(2);
const { node } = await setUp(args);
handOver(node, ['--enable-source-maps', inClone('dist', 'test', 'crash', 'main.js'), ...args]);
