import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { HARNESS_NODE_FLAGS } from '#libs/protocol';

import { verifies } from '../../../test/requirements/verifies.js';
import { HarnessBench } from './testing/harness-bench.js';

/** The built harness, as c0re starts it. */
const MAIN = path.resolve(import.meta.dirname, '../../../dist/apps/harness/src/main.js');
/** What an idle harness may hold in all: 60 MB. */
const MOST_KB = 60 * 1024;
/** What it may hold beside Node's own file, which other Node processes here share with it: fetch alone would add 5 MB. */
const MOST_OWN_KB = 20 * 1024;

let bench: HarnessBench;
const children: ChildProcess[] = [];
beforeEach(async () => {
  bench = await HarnessBench.create();
  bench.writeConfig();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await bench.stop();
});

interface Started {
  child: ChildProcess;
  exit: Promise<unknown[]>;
  output: () => string;
}
function start(env: Record<string, string> = bench.environmentOf()): Started {
  const child = spawn(process.execPath, [...HARNESS_NODE_FLAGS, MAIN], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { child, exit: once(child, 'exit'), output: () => Buffer.concat(chunks).toString('utf8') };
}
const polled = (count: number) =>
  expect.poll(() => bench.hive.polls.length, { timeout: 20_000 }).toBe(count);

/** Kilobytes of a field of the process' memory. */
function memory(pid: number, field: 'Pss' | 'Anonymous'): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1]);
}

describe('the harness as a process', () => {
  it(verifies('5.1') + 'holds less than 60 MB while idle, before and after turns', async () => {
    bench.program('cat > /dev/null; echo done');
    const { child } = start();
    await polled(1);
    expect(memory(child.pid ?? 0, 'Pss')).toBeLessThan(MOST_KB);
    expect(memory(child.pid ?? 0, 'Anonymous')).toBeLessThan(MOST_OWN_KB);
    for (let turn = 1; turn <= 10; turn += 1) {
      bench.hive.grant([{ body: 'x'.repeat(4000) }]);
      await polled(turn + 1);
    }
    expect(memory(child.pid ?? 0, 'Pss')).toBeLessThan(MOST_KB);
    expect(memory(child.pid ?? 0, 'Anonymous')).toBeLessThan(MOST_OWN_KB);
  });

  it(verifies('5.1', 'P28') + 'stops with exit 0 on SIGTERM and leaves nothing', async () => {
    bench.program('echo up > up; sleep 300 & sleep 300');
    const { child, exit } = start();
    bench.hive.grant([{ body: 'x' }]);
    await expect.poll(() => existsSync(bench.at('state/up'))).toBe(true);
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
    expect(bench.hive.ends).toHaveLength(1);
    expect(bench.processes()).toEqual([]);
  });

  it(
    verifies('P4', '1.2') + 'ends the program of a harness that was killed, then says hello',
    async () => {
      bench.program('echo up > up; trap "" TERM INT; setsid sleep 300 & sleep 300; sleep 300');
      const first = start();
      bench.hive.grant([{ body: 'x' }]);
      await expect.poll(() => existsSync(bench.at('state/up'))).toBe(true);
      await expect.poll(() => bench.processes().length).toBeGreaterThan(1);
      first.child.kill('SIGKILL');
      await first.exit;
      expect(bench.processes().length).toBeGreaterThan(1);
      start();
      await expect.poll(() => bench.hive.hellos.length, { timeout: 20_000 }).toBe(2);
      expect(bench.processes()).toEqual([]);
      expect(bench.hive.hellos[1]).toMatchObject({ instance: 2, ends: [] });
    },
  );

  it('exits with 2 and one clear message when its environment is wrong', async () => {
    const { exit, output } = start({ ...bench.environmentOf(), HIVE_ROLE: 'king' });
    expect(await exit).toEqual([2, null]);
    const line = JSON.parse(output()) as { reason: string };
    expect(line.reason).toContain('HIVE_ROLE is "king"');
  });

  it.each([
    ['codex', 'available: claude (Claude Code), command (any program), external'],
    ['acp', 'available: claude'],
    ['external', 'has no harness'],
  ] as const)(
    verifies('5.2') + 'refuses the driver %s and says what there is',
    async (driver, text) => {
      bench.writeConfig({ driver });
      const { exit, output } = start();
      expect(await exit).toEqual([2, null]);
      expect(output()).toContain(text);
      expect(bench.hive.hellos).toEqual([]);
    },
  );
});
