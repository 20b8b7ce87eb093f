import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import type { HiveFile } from '#libs/protocol';

import { CommandFailure, EXIT } from '../exit-codes.js';

/** What the command takes from its surroundings. */
export interface Surroundings {
  env: Record<string, string | undefined>;
  cwd: string;
  /** Folder of the clone: its `.hive` is the one meant when the working folder has none. */
  programRoot: string;
}

/** The state folder that is meant: HIVE_HOME, else `./.hive`, else the clone's. */
export function hiveHome({ env, cwd, programRoot }: Surroundings): string {
  if (env['HIVE_HOME']) return path.resolve(cwd, env['HIVE_HOME']);
  const here = path.join(cwd, '.hive');
  return existsSync(here) ? here : path.join(programRoot, '.hive');
}

/** `run/hive.json` of the hive that runs, or exit code 3. */
export function runningHive(home: string): HiveFile {
  const file = path.join(home, 'run', 'hive.json');
  let hive: HiveFile;
  try {
    hive = JSON.parse(readFileSync(file, 'utf8')) as HiveFile;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw notRunning(home, missing ? 'no hive runs there' : (error as Error).message);
  }
  if (!isAlive(hive.supervisor_pid)) {
    throw notRunning(home, `process ${hive.supervisor_pid} of its run/hive.json is gone`);
  }
  return hive;
}

/** The operator's token, from the environment or from the hive's secrets. */
export function operatorToken(home: string, env: Surroundings['env']): string {
  if (env['HIVE_OPERATOR_TOKEN']) return env['HIVE_OPERATOR_TOKEN'];
  const file = path.join(home, 'secrets', 'operator-token');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CommandFailure(
      EXIT.failed,
      `${file} cannot be read (${(error as Error).message}); run this as the user who started the hive, or set HIVE_OPERATOR_TOKEN`,
      'no_token',
    );
  }
}

function notRunning(home: string, why: string): CommandFailure {
  return new CommandFailure(
    EXIT.notRunning,
    `the hive in ${home} is not running (${why}); start it with \`npm start\`, or set HIVE_HOME`,
    'not_running',
  );
}

/** A process of another user answers with EPERM and is alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
