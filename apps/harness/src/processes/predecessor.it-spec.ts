import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { createLog } from '../logging/log.js';
import { systemClock } from '../time/clock.js';
import { findMarked, MARK_VARIABLE, statOf } from './marked-processes.js';
import { endPredecessor } from './predecessor.js';

let workDir: string;
const children: ChildProcess[] = [];
const log = createLog({}, systemClock, 'info', () => {});

beforeEach(() => {
  workDir = mkdtempSync(path.join(tmpdir(), 'hive-work-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(workDir, { recursive: true, force: true });
});

/** A process with the mark; returns when its script said "up". */
async function start(script: string, env: Record<string, string>): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', script], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  children.push(child);
  await once(child.stdout, 'data');
  return child;
}

describe(verifies('P4') + 'the CLI of a former harness', () => {
  it('is ended with its marked children, wherever they went, before anything else happens', async () => {
    const { mark } = await endPredecessor(workDir, systemClock, log);
    const env = { [MARK_VARIABLE]: mark };
    // It ignores SIGTERM, and its child has a session of its own, as Claude Code's tools have.
    await start('trap "" TERM; setsid sleep 300 & echo up; while :; do sleep 1; done', env);
    const innocent = await start('echo up; exec sleep 300', { [MARK_VARIABLE]: 'another' });
    expect(findMarked(mark).length).toBeGreaterThan(1);
    const again = await endPredecessor(workDir, systemClock, log);
    expect(again.mark).toBe(mark);
    expect(findMarked(mark)).toEqual([]);
    expect(statOf(innocent.pid ?? 0)).toBeDefined();
  });

  it('is found by its record when it dropped the mark', async () => {
    const { record } = await endPredecessor(workDir, systemClock, log);
    const child = await start('echo up; exec sleep 300', {});
    record.write(child.pid ?? 0);
    await endPredecessor(workDir, systemClock, log);
    expect(statOf(child.pid ?? 0)).toBeUndefined();
    expect(record.living()).toBeUndefined();
  });

  it('is not mistaken for a later process with the same pid', async () => {
    const { record } = await endPredecessor(workDir, systemClock, log);
    record.write(process.pid);
    const file = path.join(workDir, 'cli.json');
    expect(existsSync(file)).toBe(true);
    expect(record.living()).toBe(process.pid);
    const { writeDurably } = await import('../files/durable-file.js');
    writeDurably(file, JSON.stringify({ pid: process.pid, started: '1' }));
    expect(record.living()).toBeUndefined();
    await endPredecessor(workDir, systemClock, log);
  });

  it('leaves no credential behind', async () => {
    const { runsDir } = await endPredecessor(workDir, systemClock, log);
    const { RunCredential } = await import('../drivers/run-credential.js');
    const credential = new RunCredential(runsDir);
    expect(existsSync(credential.tokenFile)).toBe(true);
    await endPredecessor(workDir, systemClock, log);
    expect(readdirSync(runsDir)).toEqual([]);
  });
});
