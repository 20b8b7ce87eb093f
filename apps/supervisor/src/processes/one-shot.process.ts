import { spawn } from 'node:child_process';

import { commandOf } from './launch.js';
import { howItEnded, type ServicePlan } from './service.process.js';

/** A program of the hive that does its work and ends. */
export interface OneShot {
  /** Settles with how it ended, or with undefined when it did its work (exit code 0). */
  done: Promise<string | undefined>;
  stop(): void;
}

/** Runs it once; it is not started again. */
export function runOnce(
  plan: ServicePlan,
  setpriv: string | undefined,
  onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void,
): OneShot {
  const [program, args] = commandOf(plan.launch, setpriv);
  const child = spawn(program, args, {
    cwd: '/',
    env: plan.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child.stdout?.on('data', (chunk: Buffer) => onOutput('stdout', chunk));
  child.stderr?.on('data', (chunk: Buffer) => onOutput('stderr', chunk));
  const done = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : howItEnded(code, signal)),
    );
  });
  return { done, stop: () => void child.kill('SIGTERM') };
}
