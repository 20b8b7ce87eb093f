import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A fresh short folder below the system's temporary one; `remove` takes it away. */
export function tempFolder(): { path: string; remove: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'gw-'));
  return { path: folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
