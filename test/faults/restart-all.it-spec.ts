import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import type { AgentRecord, MessageRow, OperationRow } from '#libs/protocol';

import { verifies } from '../requirements/verifies.js';
import { startHive, type RunningHive } from '../support/hive.js';
import { journalOf, Traffic } from './traffic.js';

const WORKERS = ['ada', 'bob', 'cleo', 'dan', 'eve', 'fay', 'gus', 'hal', 'ida'] as const;
const AGENTS = ['manager', ...WORKERS];
const POLL = { timeout: 120_000, interval: 200 };

let home: string;
let hive: RunningHive;
let traffic: Traffic | undefined;

async function record(agent: string): Promise<AgentRecord> {
  return (await hive.api<{ agent: AgentRecord }>('GET', `/api/agents/${agent}`)).agent;
}

async function operations(): Promise<OperationRow[]> {
  const page = await hive.api<{ operations: OperationRow[] }>('GET', '/api/operations?limit=100');
  return page.operations;
}

async function operation(id: string): Promise<OperationRow | undefined> {
  return (await operations()).find((row) => row.id === id);
}

/** Ids of the messages with such a body that the agent was shown in a turn. */
function shown(agent: string, body: RegExp): string[] {
  return [
    ...new Set(journalOf(hive, agent).flatMap((seen) => (body.test(seen.body) ? [seen.id] : []))),
  ];
}

/** Whether every message with such a body to the agent ended acked; how many there are. */
async function received(agent: string, body: RegExp): Promise<string[]> {
  const { messages } = await hive.api<{ messages: MessageRow[] }>(
    'GET',
    `/api/agents/${agent}/inbox?limit=200`,
  );
  return messages
    .filter((message) => body.test(message.body))
    .map(({ deliveries }) => deliveries.find(({ to }) => to === agent)?.state ?? 'none');
}

async function allRun(): Promise<void> {
  await vi.waitFor(async () => {
    // An agent that is being made, and a c0re that is being started, have no answer yet.
    for (const agent of AGENTS) expect((await record(agent)).state).toBe('running');
  }, POLL);
}

/** Each agent had exactly one such message, in a turn that acked it. */
async function assertOneWakeEach(body: RegExp): Promise<void> {
  for (const agent of AGENTS) {
    await expect.poll(() => received(agent, body), POLL).toEqual(['acked']);
    expect(shown(agent, body)).toHaveLength(1);
  }
}

beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'hive-'));
  hive = await startHive({ home });
  const command = ['node', path.join(import.meta.dirname, 'recorder.mjs')];
  for (const name of AGENTS) {
    const role = name === 'manager' ? 'manager' : 'agent';
    await hive.api('POST', '/api/agents', { name, config: { driver: 'command', command, role } });
  }
  await allRun();
  traffic = new Traffic(hive, AGENTS);
});

afterAll(async () => {
  await traffic?.stop();
  await hive?.stop();
  rmSync(home, { recursive: true, force: true });
});

describe(verifies('4.7', 'P24', '4.8') + 'restart-all of ten agents under traffic', () => {
  it('restarts the manager first, goes on after a SIGKILL of c0re, and wakes each once', async () => {
    const asked = await hive.api<{ operation: OperationRow }>('POST', '/api/restart-all', {});
    const { id } = asked.operation;
    const steps = async () => (await operations()).filter(({ parent }) => parent === id);
    await expect
      .poll(async () => (await steps()).filter(({ state }) => state === 'done').length, POLL)
      .toBeGreaterThan(1);
    process.kill(hive.servicePid('c0re'), 'SIGKILL');
    await expect
      .poll(async () => (await operation(id).catch(() => undefined))?.state, POLL)
      .toBe('done');
    const rows = await steps();
    expect(rows.map(({ state }) => state)).toEqual(AGENTS.map(() => 'done'));
    const manager = rows.find(({ agent }) => agent === 'manager');
    for (const row of rows) {
      if (row === manager) continue;
      expect(Date.parse(row.started_at ?? '')).toBeGreaterThanOrEqual(
        Date.parse(manager?.ended_at ?? ''),
      );
    }
    for (const agent of AGENTS) {
      const { instance } = await record(agent);
      // What was being started when c0re died is started once more.
      expect([2, 3]).toContain(instance);
    }
    await allRun();
    await assertOneWakeEach(/^All agents were restarted, the manager first/);
    for (const body of [/ crashed: /, /^The hive was started again/]) {
      expect(shown('manager', body)).toEqual([]);
    }
  });

  it('tells the manager of a crash, once', async () => {
    const { pid } = await record('gus');
    process.kill(pid ?? 0, 'SIGKILL');
    await expect.poll(() => received('manager', /^gus crashed: /), POLL).toEqual(['acked']);
    await expect.poll(async () => (await record('gus')).state, POLL).toBe('running');
    expect(shown('manager', / crashed: /)).toHaveLength(1);
  });

  it('does the same when the hive was killed and is started again', async () => {
    await traffic?.stop();
    const pids = (hive.file()?.services ?? []).map(({ pid }) => pid);
    const agents = await Promise.all(AGENTS.map(async (agent) => (await record(agent)).pid ?? 0));
    for (const pid of [hive.pid, ...pids, ...agents]) process.kill(pid, 'SIGKILL');
    await hive.stop();
    hive = await startHive({ home });
    await allRun();
    await assertOneWakeEach(/^The hive was started again/);
    expect(shown('manager', / crashed: /)).toHaveLength(1);
  });
});
