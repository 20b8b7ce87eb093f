import { spawnSync } from 'node:child_process';
import path from 'node:path';

import { inClone, SetUpError } from './clone.mjs';

/** The major version that everything but the set-up runs on. */
const NODE_MAJOR = 24;
const PACKAGED = inClone('node_modules', 'node', 'bin', 'node');

/** Path of a Node 24: that of the npm package `node`, or the one that runs this. */
export function findNode() {
  const version = spawnSync(PACKAGED, ['--version'], { encoding: 'utf8' }).stdout ?? '';
  if (version.startsWith(`v${NODE_MAJOR}.`)) return PACKAGED;
  if (process.version.startsWith(`v${NODE_MAJOR}.`)) return process.execPath;
  return undefined;
}

/** @throws SetUpError when there is none. */
export function needNode() {
  const node = findNode();
  if (node) return node;
  throw new SetUpError(
    `the hive runs on Node ${NODE_MAJOR}, and the one of the npm package "node" does not run on this machine (${PACKAGED}). Install Node ${NODE_MAJOR} and start again with it`,
  );
}

/**
 * How npm is called, with an environment in which `node` is not the clone's own: an install removes that one while it
 * runs.
 */
export function npmCommand() {
  const own = inClone('node_modules');
  const isForeign = (folder) => folder !== '' && !path.resolve(folder).startsWith(own);
  const folders = (process.env.PATH ?? '').split(':').filter(isForeign);
  const env = { ...process.env, PATH: folders.join(':') };
  const cli = process.env.npm_execpath;
  const isFile = cli?.endsWith('.js') && !path.resolve(cli).startsWith(own);
  return isFile ? { program: 'node', args: [cli], env } : { program: 'npm', args: [], env };
}
