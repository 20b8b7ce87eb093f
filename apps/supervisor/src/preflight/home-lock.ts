import { readFileSync } from 'node:fs';
import path from 'node:path';

import { StoreInUseError, takeWriterLock, type WriterLock } from '#libs/store';

import { StartRefusedError } from './start-refused.error.js';

/**
 * Takes the state folder for this supervisor; the operating system gives it back when the process ends, however it ends.
 * @throws StartRefusedError that names the process of the hive that has it (PRODUCT 8.5).
 */
export function lockHome(home: string): WriterLock {
  const lock = path.join(home, 'run', 'supervisor');
  try {
    return takeWriterLock(lock, 'hive');
  } catch (error) {
    if (!(error instanceof StoreInUseError)) throw error;
    const pid = holderOf(lock);
    throw new StartRefusedError(
      `a hive already runs on ${home}${pid === undefined ? '' : ` (process ${pid})`}. Stop it (Ctrl-C in its terminal${pid === undefined ? '' : `, or kill ${pid}`}), or start this one elsewhere: npm start -- --home /other/folder --dashboard-port 7100 --gateway-port 7101`,
      { cause: error },
    );
  }
}

function holderOf(lock: string): string | undefined {
  try {
    return /process (\d+)/.exec(readFileSync(`${lock}.holder`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
