import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { makeAgents, type BenchAgent } from '../bench-agents.js';
import { BenchProcess, ROOT } from '../child-process.js';
import { RawMcpSession } from '../doors/raw-mcp.js';
import type { Extent } from '../extent.js';
import { HiveUnderTest } from '../hive-under-test.js';
import { HeapProbe, memoryOf } from '../process-usage.js';
import type { ResultRow } from '../report.js';

/** A process is idle when nothing was asked of it for this long after its start, in milliseconds. */
const IDLE_MS = 3000;
/** Agents whose sessions are opened; each may have 16. */
const AGENTS = 64;
/** Calls under way at once while the gateway's heap is watched. */
const CALLERS = 16;
/** Calls before the first look: caches fill, the JIT compiles. */
const WARM_UP_CALLS = 1000;

/** Target 12: memory of the idle broker, of an idle MCP session, and growth with each call. */
export async function measureMemory(extent: Extent): Promise<ResultRow[]> {
  const agents = makeAgents('s', AGENTS, 'external');
  const hive = await HiveUnderTest.start({
    agents,
    gateway: true,
    gatewayArgs: ['--inspect=127.0.0.1:0'],
  });
  try {
    const broker = await idleBroker(hive);
    const probe = await HeapProbe.attach(hive.log('gateway'));
    const session = await sessionRow(probe, hive.gatewayUrl, agents, extent.mcpSessions);
    const growth = await growthRow(probe, hive.gatewayUrl, agents, extent.mcpCalls);
    probe.close();
    return [broker, session, growth];
  } finally {
    await hive.stop();
  }
}

async function idleBroker(hive: HiveUnderTest): Promise<ResultRow> {
  const dir = mkdtempSync(path.join(tmpdir(), 'hive-minimal-'));
  const minimal = await BenchProcess.start({
    name: 'the minimal Nest service',
    argv: [process.execPath, '--enable-source-maps', path.join(ROOT, 'dist/bench/minimal-nest.js')],
    env: {},
    log: path.join(dir, 'minimal.log'),
  });
  try {
    await sleep(IDLE_MS);
    const broker = rssMib(hive.pid('broker'));
    const yardstick = rssMib(minimal.pid);
    return {
      target: '12',
      what: 'broker, idle (RSS)',
      value: broker,
      unit: 'MiB',
      yardstick: { name: 'minimal Nest service', value: yardstick, unit: 'MiB' },
      ratio: broker / yardstick,
      goal: { at: 'most', value: 1.5 },
    };
  } finally {
    await minimal.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function sessionRow(
  probe: HeapProbe,
  url: string,
  agents: readonly BenchAgent[],
  count: number,
): Promise<ResultRow> {
  const warmUp = await openSessions(url, agents.slice(0, 8), 8);
  await closeAll(warmUp);
  const before = await probe.usedBytes();
  const sessions = await openSessions(url, agents, count);
  const after = await probe.usedBytes();
  await closeAll(sessions);
  return {
    target: '12',
    what: `gateway, per idle MCP session (heap, ${count} sessions)`,
    value: (after - before) / count / 1024,
    unit: 'KiB',
    goal: { at: 'most', value: 60 },
  };
}

async function growthRow(
  probe: HeapProbe,
  url: string,
  agents: readonly BenchAgent[],
  calls: number,
): Promise<ResultRow> {
  const sessions = await openSessions(url, agents.slice(0, CALLERS), CALLERS);
  await callAll(sessions, WARM_UP_CALLS);
  const before = await probe.usedBytes();
  await callAll(sessions, calls);
  const after = await probe.usedBytes();
  await closeAll(sessions);
  return {
    target: '12',
    what: `gateway, growth per MCP call (heap, ${calls} calls of whoami)`,
    value: (after - before) / calls,
    unit: 'B',
    goal: { at: 'most', value: 50 },
  };
}

async function callAll(sessions: readonly RawMcpSession[], calls: number): Promise<void> {
  let left = calls;
  await Promise.all(
    sessions.map(async (session) => {
      while (left > 0) {
        left -= 1;
        await session.call('whoami', {});
      }
    }),
  );
}

async function openSessions(
  url: string,
  agents: readonly BenchAgent[],
  count: number,
): Promise<RawMcpSession[]> {
  const sessions: RawMcpSession[] = [];
  for (let i = 0; i < count; i++)
    sessions.push(await RawMcpSession.open(url, agents[i % agents.length]?.token ?? ''));
  return sessions;
}

async function closeAll(sessions: readonly RawMcpSession[]): Promise<void> {
  for (const session of sessions) await session.close();
}

function rssMib(pid: number): number {
  return (memoryOf(pid)?.rss_kib ?? Number.NaN) / 1024;
}
