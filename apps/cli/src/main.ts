import path from 'node:path';
import { text } from 'node:stream/consumers';

import { run } from './program.js';

/** dist/apps/cli/src/main.js lies four folders below the clone. */
const PROGRAM_ROOT = path.resolve(import.meta.dirname, '../../../..');

/** Whoever reads us may stop to read (`hive agents | head`), which is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await run(process.argv.slice(2), {
  surroundings: { env: process.env, cwd: process.cwd(), programRoot: PROGRAM_ROOT },
  terminal: {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    readInput: () => text(process.stdin),
  },
  now: () => Date.now(),
});
