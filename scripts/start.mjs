#!/usr/bin/env node
// npm start: sets the clone up, then hands over to the supervisor on Node 24. Runs on any Node from 20 on.
import { builtMain } from './setup/build.mjs';
import { ensureSandbox } from './setup/containers.mjs';
import { handOver } from './setup/hand-over.mjs';
import { setUp } from './setup/set-up.mjs';

const startedAt = Date.now();
const args = process.argv.slice(2);
const { node, redisServer } = await setUp(args, () => ensureSandbox(args));
handOver(node, ['--enable-source-maps', builtMain('supervisor'), ...args], {
  isTied: true,
  env: {
    ...process.env,
    HIVE_START_MS: String(startedAt),
    ...(redisServer ? { HIVE_REDIS_SERVER: redisServer } : {}),
  },
});
