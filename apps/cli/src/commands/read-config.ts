import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

import type { SpawnBody } from '#libs/protocol';

import { CommandFailure, EXIT } from '../exit-codes.js';

const CONFIG = 'agent.yaml';
/** Bytes of all files of a config tree: the request that carries them is bounded. */
const MOST_BYTES = 200_000;

/** What `--file` names: an agent.yaml, or a folder with one and the text files that it needs. */
export function readConfig(file: string, cwd: string): Pick<SpawnBody, 'yaml' | 'files'> {
  const absolute = path.resolve(cwd, file);
  try {
    if (!statSync(absolute).isDirectory()) return { yaml: readFileSync(absolute, 'utf8') };
    return readTree(absolute);
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw unreadable(`${absolute} cannot be read: ${(error as Error).message}`);
  }
}

function readTree(folder: string): Pick<SpawnBody, 'yaml' | 'files'> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((name) => !name.startsWith(`.git${path.sep}`));
  if (!paths.includes(CONFIG)) throw unreadable(`${folder} holds no ${CONFIG}`);
  const size = paths.reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
  if (size > MOST_BYTES) {
    throw unreadable(
      `the files below ${folder} are ${size} bytes, the limit is ${MOST_BYTES}; leave out what the agent does not need`,
    );
  }
  const texts = paths
    .filter((name) => name !== CONFIG)
    .map((name) => [name.split(path.sep).join('/'), readText(path.join(folder, name))] as const);
  return {
    yaml: readText(path.join(folder, CONFIG)),
    ...(texts.length === 0 ? {} : { files: Object.fromEntries(texts) }),
  };
}

function readText(file: string): string {
  const bytes = readFileSync(file);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw unreadable(`${file} is not text; a config tree holds text files only`);
  }
}

function unreadable(message: string): CommandFailure {
  return new CommandFailure(EXIT.failed, message, 'unreadable_file');
}
