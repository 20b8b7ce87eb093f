import path from 'node:path';

import { BadConfigurationError } from '#libs/service';

import { prepareHive } from './hive/prepare.js';
import { runHive, StopWish } from './hive/run-hive.js';
import { StartRefusedError } from './preflight/start-refused.error.js';
import { helpText, parseOptions } from './settings/start-options.js';
import { readSettings, unknownVariables } from './settings/supervisor.settings.js';
import { processTerminal } from './terminal/terminal.js';

/** The clone, seen from dist/apps/supervisor/src. */
const CLONE = path.resolve(import.meta.dirname, '../../../..');

process.exitCode = await main();
// Streams to children that were just ended may still be open; there is nothing left to do for them.
process.exit();

async function main(): Promise<number> {
  const wish = new StopWish();
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    processTerminal.line(helpText());
    return 0;
  }
  try {
    const settings = readSettings(options, process.env, process.cwd());
    for (const name of unknownVariables(process.env)) {
      processTerminal.problem(
        `${name} is not a setting of the hive; npm start -- --help lists them`,
      );
    }
    // What a service writes must be readable for its peers, whatever the mask of root's shell is.
    if (process.geteuid?.() === 0) process.umask(0o022);
    const prepared = await prepareHive(settings, CLONE);
    const parent = process.env['HIVE_PARENT_FD'];
    if (parent !== undefined) wish.watchParent(Number(parent));
    return await runHive(prepared, wish, Number(process.env['HIVE_START_MS'] ?? Date.now()));
  } catch (error) {
    if (!(error instanceof StartRefusedError || error instanceof BadConfigurationError))
      throw error;
    processTerminal.problem(error.message);
    return 1;
  }
}
