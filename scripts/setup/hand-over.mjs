import { spawn } from 'node:child_process';

import { CLONE } from './clone.mjs';

/**
 * Goes on as another program: it gets the terminal and every signal, and its exit code is ours. With `isTied` it also
 * learns of our death by a pipe on file descriptor 3 (HIVE_PARENT_FD).
 */
export function handOver(program, args, { env = process.env, cwd = CLONE, isTied = false } = {}) {
  const child = spawn(program, args, {
    cwd,
    env: isTied ? { ...env, HIVE_PARENT_FD: '3' } : env,
    stdio: ['inherit', 'inherit', 'inherit', ...(isTied ? ['pipe'] : [])],
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
