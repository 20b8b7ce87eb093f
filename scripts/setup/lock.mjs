import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { inClone } from './clone.mjs';
import { say } from './progress.mjs';

/** Outside node_modules, which an install empties. */
const LOCK = inClone('dist', '.set-up.lock');
const LOOK_EVERY_MS = 250;

/** Does the work while no other set-up of this clone runs; waits for one that does. */
export async function withSetUpLock(work) {
  mkdirSync(path.dirname(LOCK), { recursive: true });
  const own = JSON.stringify({ pid: process.pid, start: startOf(process.pid) });
  let told = false;
  while (!take(own)) {
    const holder = readHolder();
    if (holder.text !== undefined && !isAlive(holder)) {
      clearStale(holder.text);
      continue;
    }
    if (!told) say(`waiting for another set-up of this clone (process ${holder.pid ?? '?'})`);
    told = true;
    await sleep(LOOK_EVERY_MS);
  }
  const release = () => {
    if (readHolder().text === own) rmSync(LOCK, { force: true });
  };
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

function take(own) {
  try {
    writeFileSync(LOCK, own, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder() {
  try {
    const text = readFileSync(LOCK, 'utf8');
    return { text, ...JSON.parse(text) };
  } catch {
    return {}; // Just released, or just being written.
  }
}

/** Moves the lock of a dead process away; one that another set-up took in between is put back. */
function clearStale(text) {
  const aside = `${LOCK}.${process.pid}`;
  try {
    renameSync(LOCK, aside);
    if (readFileSync(aside, 'utf8') !== text) renameSync(aside, LOCK);
    else rmSync(aside);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

function isAlive({ pid, start }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === 'ESRCH') return false;
  }
  return start === undefined || startOf(pid) === start;
}

/** When the process was started, in clock ticks; undefined on a system without /proc. */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
