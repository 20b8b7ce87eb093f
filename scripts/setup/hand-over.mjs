import { spawn } from 'node:child_process';

import { CLONE } from './clone.mjs';

/**
 * Goes on as another program: it gets the terminal and every signal, and its exit code is ours. With `isTied` it also
 * learns of our death, however sudden: its standard input is a pipe from us (HIVE_PARENT_FD). No other descriptor would
 * do: Node closes them all when it starts another program in its place.
 */
export function handOver(program, args, { env = process.env, cwd = CLONE, isTied = false } = {}) {
  const child = spawn(program, args, {
    cwd,
    env: isTied ? { ...env, HIVE_PARENT_FD: '0' } : env,
    stdio: [isTied ? 'pipe' : 'inherit', 'inherit', 'inherit'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal));
  child.once('error', (error) => {
    process.stderr.write(`${program} cannot be run: ${error.message}\n`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => {
    if (signal !== null) process.stderr.write(`killed by ${signal}\n`);
    process.exit(code ?? 1);
  });
}
