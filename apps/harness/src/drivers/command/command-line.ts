import path from 'node:path';

import { HiveError } from '#libs/protocol';

import { fs } from '../../platform/builtins.js';

/**
 * The argv with the names of files in the config tree replaced by their paths there (INTERFACES "Agent configuration").
 * A name that leads out of the tree stays as it is. Throws `invalid_config` for an empty argv.
 */
export function resolveCommand(
  command: readonly string[],
  configDir: string,
): [string, ...string[]] {
  const [program, ...rest] = command.map((part) => inTree(part, configDir));
  if (program === undefined) {
    throw new HiveError(
      'invalid_config',
      'the command driver has no command; set command to the argv, for example [node, bot.mjs]',
    );
  }
  return [program, ...rest];
}

function inTree(part: string, configDir: string): string {
  if (part === '' || part.startsWith('-') || path.isAbsolute(part)) return part;
  const file = path.resolve(configDir, part);
  if (!file.startsWith(`${configDir}${path.sep}`)) return part;
  return fs.existsSync(file) ? file : part;
}
