import { readFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import type { AgentRecord, MessageRow } from '#libs/protocol';

import { verifies } from '../requirements/verifies.js';
import { startHive, type RunningHive } from '../support/hive.js';
import { journalOf, Traffic } from './traffic.js';

const AGENTS = ['red', 'green', 'blue'] as const;
/** Messages that pass between two kills, so that each falls into traffic. */
const BETWEEN = 8;
const POLL = { timeout: 60_000, interval: 100 };

let hive: RunningHive;
let traffic: Traffic;

async function record(agent: string): Promise<AgentRecord> {
  const { agent: found } = await hive.api<{ agent: AgentRecord }>('GET', `/api/agents/${agent}`);
  return found;
}

/** The harness of `agent`, and what it runs now, by /proc. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

async function someTraffic(): Promise<void> {
  const before = traffic.sent.size;
  await expect.poll(() => traffic.sent.size, POLL).toBeGreaterThan(before + BETWEEN);
}

/** The harness pid of an agent whose CLI runs at this moment, and that CLI's pid. */
async function agentAtWork(): Promise<{ agent: string; harness: number; cli: number }> {
  let found: { agent: string; harness: number; cli: number } | undefined;
  await expect
    .poll(async () => {
      for (const agent of AGENTS) {
        const harness = (await record(agent)).pid ?? 0;
        const cli = childrenOf(harness)[0];
        if (cli !== undefined) found = { agent, harness, cli };
      }
      return found;
    }, POLL)
    .toBeDefined();
  return found as { agent: string; harness: number; cli: number };
}

/** Messages to the agents that are not acked yet. */
async function unfinished(): Promise<string[]> {
  const open: string[] = [];
  for (const agent of AGENTS) {
    let before: string | undefined;
    do {
      const page = await hive.api<{ messages: MessageRow[]; next?: string }>(
        'GET',
        `/api/agents/${agent}/inbox?limit=100${before === undefined ? '' : `&before=${before}`}`,
      );
      for (const { id, deliveries } of page.messages) {
        if (deliveries.some(({ to, state }) => to === agent && state !== 'acked'))
          open.push(`${agent} ${id}`);
      }
      before = page.next;
    } while (before !== undefined);
  }
  return open;
}

beforeAll(async () => {
  hive = await startHive();
  for (const name of AGENTS) {
    const command = ['node', path.join(import.meta.dirname, 'recorder.mjs')];
    await hive.api('POST', '/api/agents', { name, config: { driver: 'command', command } });
  }
  await vi.waitFor(async () => {
    for (const name of AGENTS) {
      const { state } = await record(name);
      if (state !== 'running') throw new Error(`${name} is ${state}`);
    }
  }, POLL);
  traffic = new Traffic(hive, AGENTS);
});

afterAll(async () => {
  await traffic.stop();
  await hive.stop();
});

describe(verifies('1.2', '5.1', 'P4', 'P28', '10.1') + 'SIGKILL under traffic', () => {
  it('of a harness in mid turn: it comes back, and its CLI is gone before the next one starts', async () => {
    const { agent, harness, cli } = await agentAtWork();
    process.kill(harness, 'SIGKILL');
    await expect.poll(async () => (await record(agent)).pid, POLL).not.toBe(harness);
    await expect.poll(async () => (await record(agent)).pid, POLL).toBeTypeOf('number');
    expect(childrenOf((await record(agent)).pid ?? 0)).not.toContain(cli);
    await someTraffic();
  });

  it('of a CLI in mid turn: the harness goes on', async () => {
    const { agent, harness, cli } = await agentAtWork();
    process.kill(cli, 'SIGKILL');
    await someTraffic();
    expect((await record(agent)).pid).toBe(harness);
  });

  it.each(['broker', 'gateway', 'scheduler', 'dashboard', 'c0re', 'redis'])(
    'of %s: it is started again, and hive.json says so',
    async (service) => {
      const before = hive.servicePid(service);
      process.kill(before, 'SIGKILL');
      await expect
        .poll(() => hive.file()?.services.find(({ name }) => name === service)?.pid, POLL)
        .not.toBe(before);
      await someTraffic();
    },
  );

  it('loses nothing: every message ends acked, was shown, and every later showing was marked', async () => {
    await traffic.stop();
    await expect.poll(unfinished, { timeout: 110_000, interval: 500 }).toEqual([]);

    const lost: string[] = [];
    const unmarked: string[] = [];
    let marked = 0;
    for (const agent of AGENTS) {
      const seen = new Set<string>();
      for (const { id, redelivered } of journalOf(hive, agent)) {
        if (redelivered) marked += 1;
        else if (seen.has(id)) unmarked.push(`${agent} ${id}`);
        seen.add(id);
      }
      for (const [id, to] of traffic.sent)
        if (to === agent && !seen.has(id)) lost.push(`${agent} ${id}`);
    }
    expect(lost).toEqual([]);
    expect(unmarked).toEqual([]);
    // The kills of a harness and of a CLI in mid turn bring at least one message back.
    expect(marked).toBeGreaterThan(0);
  });

  it('stops with exit code 0 after all that', async () => {
    expect(await hive.stop()).toBe(0);
  });
});
