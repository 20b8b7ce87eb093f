import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { HttpSocketClient } from '#libs/ipc';
import type { AgentRecord, HiveFile } from '#libs/protocol';

import { BenchProcess, ROOT } from '../child-process.js';
import { freePort } from '../hive-under-test.js';
import { memoryOf } from '../process-usage.js';
import type { ResultRow } from '../report.js';

/** The hive is idle when nothing was asked of it for this long, in milliseconds. */
const IDLE_MS = 5000;
const READY_MS = 60_000;
const POLL_MS = 100;
/** An idle harness stays below this (PSS). */
const HARNESS_MIB = 60;

/** Idle memory of each process of a whole hive with one agent: what `npm start` leaves running. */
export async function measureHiveMemory(tell: (text: string) => void): Promise<ResultRow[]> {
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
    return [...rows, totalRow(processes.map(({ pid }) => pid))];
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

async function until(ms: number, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not so after ${ms} ms`);
    await sleep(POLL_MS);
  }
}
