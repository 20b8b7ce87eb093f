import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What is running: the commit of the clone, or the version of the package where there is no git. */
export function revisionOf(clone: string): string {
  const git = ['-c', `safe.directory=${clone}`, '-C', clone, 'rev-parse', '--short=12', 'HEAD'];
  try {
    return execFileSync('git', git, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    const text = readFileSync(path.join(clone, 'package.json'), 'utf8');
    return (JSON.parse(text) as { version?: string }).version ?? 'unknown';
  }
}
