import { spawn } from 'node:child_process';

import { CLONE, SetUpError } from './clone.mjs';

/** How often a step that takes long says that it still works. */
const STILL_EVERY_MS = 10_000;
/** Lines of a program's output that are shown when it fails. */
const TAIL_LINES = 40;

/** Programs of the set-up that run now; a signal ends them too. */
const running = new Set();
let interrupted = false;

/** Says what is done and how long it took; lines only, so that it reads well in a log too. */
export async function step(title, work) {
  const began = Date.now();
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  say(`${title} …`);
  const timer = setInterval(() => say(`  still ${title} (${seconds()})`), STILL_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    if (!interrupted) say(`  done (${seconds()})`);
  }
}

export function say(text) {
  process.stdout.write(`set-up: ${text}\n`);
}

/**
 * Runs a program of the set-up quietly; what it wrote is shown when it fails.
 * @throws SetUpError with the end of its output.
 */
export function run(program, args, { env = process.env, cwd = CLONE, hint = '' } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).split('\n').slice(-TAIL_LINES).join('\n');
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) =>
      reject(new SetUpError(`${program} cannot be run: ${error.message}. ${hint}`)),
    );
    child.once('close', (code, signal) => {
      running.delete(child);
      if (code === 0) resolve();
      else {
        const how = signal === null ? `exit code ${code}` : signal;
        const command = [program, ...args].join(' ');
        reject(new SetUpError(`${output.trim()}\n\n"${command}" failed (${how}). ${hint}`.trim()));
      }
    });
  });
}

/** Exit code of a program that Ctrl-C ended, by custom. */
const INTERRUPTED = 130;

function interrupt(signal) {
  interrupted = true;
  for (const child of running) child.kill(signal);
  say('interrupted');
  process.exit(INTERRUPTED);
}

/** Runs the set-up of a command: its errors are one message and exit code 1, Ctrl-C ends it and what it started. */
export async function guarded(work) {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, interrupt);
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return process.exit(1);
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}
