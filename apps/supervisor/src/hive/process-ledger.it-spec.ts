import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { ProcessLedger } from './process-ledger.js';

describe(verifies('P28') + 'the ledger of processes', () => {
  let home: string;
  let file: string;
  let child: ChildProcess;

  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'hive-ledger-'));
    mkdirSync(path.join(home, 'run'));
    file = path.join(home, 'run', 'processes.json');
    child = spawn('sleep', ['600']);
  });
  afterEach(() => {
    child.kill('SIGKILL');
    rmSync(home, { recursive: true, force: true });
  });

  it('lets a later start end what an earlier one left', async () => {
    note(home, 'broker', child.pid ?? 0);
    const gone = once(child, 'exit');
    const told: string[][] = [];
    await new ProcessLedger(home).endLeftovers((names) => told.push(names), 200);
    await gone;
    expect(child.signalCode).toBe('SIGKILL');
    expect(told).toEqual([['broker']]);
    expect(existsSync(file)).toBe(false);
  });

  it('asks Redis to end at once', async () => {
    note(home, 'redis', child.pid ?? 0);
    await new ProcessLedger(home).endLeftovers(() => {});
    expect(child.signalCode).toBe('SIGTERM');
  });

  it('leaves a later process with the same number alone', async () => {
    note(home, 'broker', child.pid ?? 0);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"start":"\d+"/, '"start":"1"'));
    await new ProcessLedger(home).endLeftovers(() => {
      throw new Error('there is nothing to wait for');
    });
    expect(child.exitCode).toBeNull();
  });

  it('is nothing to wait for when it is damaged', async () => {
    writeFileSync(file, '[{');
    await new ProcessLedger(home).endLeftovers(() => {
      throw new Error('there is nothing to wait for');
    });
    expect(existsSync(file)).toBe(false);
  });
});

function note(home: string, name: string, pid: number): void {
  const ledger = new ProcessLedger(home);
  ledger.add(name, pid);
  ledger.write();
}
