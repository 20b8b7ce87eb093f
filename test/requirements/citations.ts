import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A test file and the requirement ids that its `verifies(…)` calls name. */
export interface Citation {
  file: string;
  ids: string[];
}

const TEST_FILE = /\.(it-)?spec\.tsx?$/;
const CALL = /\bverifies\(([^)]*)\)/g;
const ID = /'([^']+)'/g;

/** Reads every test source below `root` and collects what it cites. */
export function collectCitations(root: string): Citation[] {
  return ['apps', 'libs', 'test', 'bench']
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true }),
    )
    .filter((entry) => entry.isFile() && TEST_FILE.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('node_modules'))
    .map((file) => ({ file: path.relative(root, file), ids: idsIn(readFileSync(file, 'utf8')) }));
}

/** The ids in the `verifies(…)` calls of a source text. */
export function idsIn(source: string): string[] {
  return [...source.matchAll(CALL)].flatMap((call) =>
    [...(call[1] ?? '').matchAll(ID)].map((id) => id[1] ?? ''),
  );
}
