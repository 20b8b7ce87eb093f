#!/usr/bin/env node
// npm run hive -- …: the operator's command line. It does no set-up, so that it answers at once.
import process from 'node:process';

import { builtMain, isBuilt } from './setup/build.mjs';
import { handOver } from './setup/hand-over.mjs';
import { findNode } from './setup/node.mjs';

/** INTERFACES "Commands": the hive is not running. */
const NOT_RUNNING = 3;

const node = findNode();
if (!node || !isBuilt('cli')) {
  process.stderr.write('the hive was never started from this clone: run npm start first\n');
  process.exit(NOT_RUNNING);
}
handOver(node, [builtMain('cli'), ...process.argv.slice(2)], { cwd: process.cwd() });
