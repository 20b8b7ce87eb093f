import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { HttpSocketClient } from '#libs/ipc';
import type { AgentRecord, HiveFile } from '#libs/protocol';
import { openDatabase } from '#libs/store';

import { BenchProcess, ROOT } from '../child-process.js';
import type { Extent } from '../extent.js';
import { freePort } from '../hive-under-test.js';
import { cpuMicroseconds, memoryOf } from '../process-usage.js';
import type { ResultRow } from '../report.js';
import { until } from '../until.js';

/** The hive is idle when nothing was asked of it for this long, in milliseconds. */
const IDLE_MS = 5000;
const READY_MS = 60_000;
/** An idle harness stays below this (PSS). */
const HARNESS_MIB = 60;
/** Processor time of an idle hive's processes together, harnesses aside, in percent of one core. */
const IDLE_PERCENT = 2;

/**
 * Memory, processor time and turns of a whole hive with one agent that nobody writes to: what `npm start` leaves running.
 */
export async function measureIdleHive(
  extent: Extent,
  tell: (text: string) => void,
): Promise<ResultRow[]> {
  tell('starting a whole hive …');
  const home = mkdtempSync(path.join(tmpdir(), 'hive-idle-'));
  const file = path.join(home, 'run', 'hive.json');
  const supervisor = await BenchProcess.start({
    name: 'the hive',
    argv: [process.execPath, path.join(ROOT, 'dist/apps/supervisor/src/main.js')],
    env: {
      HIVE_HOME: home,
      HIVE_DASHBOARD_PORT: String(await freePort()),
      HIVE_GATEWAY_PORT: String(await freePort()),
      HIVE_CONTAINER_DRIVER: 'process',
    },
    log: path.join(home, 'start.log'),
    ready: () => until(READY_MS, () => existsSync(file)),
  });
  try {
    const hive = JSON.parse(readFileSync(file, 'utf8')) as HiveFile;
    const harness = await startAgent(hive);
    await sleep(IDLE_MS);
    const processes = [
      { name: 'supervisor', pid: supervisor.pid },
      ...hive.services,
      { name: 'harness (one agent)', pid: harness },
    ];
    const rows = processes.flatMap(({ name, pid }) => rowsOf(name, pid));
    const pids = processes.map(({ pid }) => pid);
    tell(`watching the idle hive for ${extent.idleHiveMs / 1000} s …`);
    const percent = await processorPercent(
      pids.filter((pid) => pid !== harness),
      extent.idleHiveMs,
    );
    return [...rows, totalRow(pids), ...activityRows(percent, turnsIn(home))];
  } finally {
    await supervisor.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** Starts an agent that nobody writes to; the process id of its harness. */
async function startAgent(hive: HiveFile): Promise<number> {
  const admin = new HttpSocketClient(hive.sockets['c0re-admin'] ?? '');
  try {
    await admin.call({
      method: 'POST',
      path: '/v1/agents?wait=1',
      body: {
        name: 'idle',
        config: { driver: 'command', command: ['true'], container: 'process' },
      },
    });
    let pid: number | null = null;
    await until(READY_MS, async () => {
      const { agent } = await admin.call<{ agent: AgentRecord }>({
        method: 'GET',
        path: '/v1/agents/idle',
      });
      pid = agent.pid;
      return pid !== null;
    });
    return pid ?? 0;
  } finally {
    admin.close();
  }
}

function rowsOf(name: string, pid: number): ResultRow[] {
  const memory = memoryOf(pid);
  if (!memory)
    return [
      { target: 'memory', what: `${name}, idle`, value: 0, unit: 'MiB', missing: 'not running' },
    ];
  const isHarness = name.startsWith('harness');
  return [
    { target: 'memory', what: `${name}, idle (RSS)`, value: memory.rss_kib / 1024, unit: 'MiB' },
    {
      target: 'memory',
      what: `${name}, idle (PSS)`,
      value: memory.pss_kib / 1024,
      unit: 'MiB',
      ...(isHarness ? { goal: { at: 'most' as const, value: HARNESS_MIB } } : {}),
    },
  ];
}

function totalRow(pids: readonly number[]): ResultRow {
  const kib = pids.reduce((sum, pid) => sum + (memoryOf(pid)?.pss_kib ?? 0), 0);
  return { target: 'memory', what: 'all of them (PSS)', value: kib / 1024, unit: 'MiB' };
}

/** Processor time of these processes over `ms`, in percent of one core. */
async function processorPercent(pids: readonly number[], ms: number): Promise<number> {
  const before = cpuMicroseconds(pids);
  const start = performance.now();
  await sleep(ms);
  const usedMs = (cpuMicroseconds(pids) - before) / 1000;
  return (usedMs / (performance.now() - start)) * 100;
}

/** Turns that were ever started in this hive; a model is called only within one. */
function turnsIn(home: string): number {
  const db = openDatabase({
    path: path.join(home, 'db', 'threads.db'),
    synchronous: 'FULL',
    readonly: true,
  });
  try {
    return db.prepare<[], number>('SELECT count(*) FROM turns').pluck().get() ?? 0;
  } finally {
    db.close();
  }
}

function activityRows(percent: number, turns: number): ResultRow[] {
  return [
    {
      target: 'idle',
      what: 'processor time of an idle hive, harnesses aside',
      value: percent,
      unit: '% of a core',
      goal: { at: 'most', value: IDLE_PERCENT },
    },
    {
      target: 'idle',
      what: 'turns of an idle hive',
      value: turns,
      unit: 'turns',
      goal: { at: 'most', value: 0 },
    },
  ];
}
