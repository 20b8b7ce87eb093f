import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The clone that this script belongs to. */
export const CLONE = path.resolve(
  import.meta.dirname ?? new URL('.', import.meta.url).pathname,
  '../..',
);

/** Something that the set-up needs and cannot get; the message says what to do. */
export class SetUpError extends Error {}

/** A path inside the clone. */
export function inClone(...names) {
  return path.join(CLONE, ...names);
}

/** sha-256 of a file as hex, or undefined when it is not there. */
export function hashOf(file) {
  const content = readIfThere(file);
  return content && createHash('sha256').update(content).digest('hex');
}

/** The file's content, or undefined when it is not there. */
export function readIfThere(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}
