import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type {
  AgentDetail,
  DashboardAnswers,
  MessageRow,
  SendResult,
  StateSnapshot,
} from '#libs/protocol';

import { verifies } from '../requirements/verifies.js';
import { startHive, type RunningHive } from '../support/hive.js';

/** What the product promises of the demo, in milliseconds after being ready. */
const WITHIN_A_MINUTE = { timeout: 60_000, interval: 250 };
/** The conversation ends by itself; a busy machine gets longer, in milliseconds. */
const AT_LAST = { timeout: 110_000, interval: 250 };
const AGENTS = ['builder', 'forager', 'guard', 'manager'];

const home = mkdtempSync(path.join(tmpdir(), 'hive-demo-'));
let hive: RunningHive;
beforeAll(async () => {
  hive = await startHive({ demo: true, home });
});
afterAll(async () => {
  await hive?.stop();
  rmSync(home, { recursive: true, force: true });
});

async function messages(query = 'limit=200'): Promise<MessageRow[]> {
  return (await hive.api<{ messages: MessageRow[] }>('GET', `/api/messages?${query}`)).messages;
}

async function byAgents(): Promise<MessageRow[]> {
  return (await messages()).filter(({ from }) => AGENTS.includes(from));
}

/** Whether nobody works, nobody is to be reminded, and nothing waits for anybody but the operator. */
async function isCalm(): Promise<boolean> {
  const { agents } = await hive.api<StateSnapshot>('GET', '/api/state');
  const rows = await messages();
  return (
    agents.every(
      ({ turn, unread, reminders }) =>
        turn === undefined && unread === 0 && reminders.pending === 0,
    ) &&
    rows.every(({ deliveries }) =>
      deliveries.every(({ to, state }) => to === 'operator' || state === 'acked'),
    )
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe(verifies('10.1', '5.2', '1.6', '2.1', '3.1') + 'the demo', () => {
  it(verifies('4.2') + 'takes the best container driver that works here, and says so', async () => {
    const driver = process.getuid?.() === 0 ? 'nspawn' : 'bubblewrap';
    expect(hive.output).toMatch(new RegExp(`^ +Driver +${driver}$`, 'm'));
    const { agents } = await hive.api<StateSnapshot>('GET', '/api/state');
    expect(agents.every(({ container }) => container === driver)).toBe(true);
  });

  it('holds a conversation with replies: ten messages of three senders within a minute', async () => {
    await expect.poll(async () => (await byAgents()).length, WITHIN_A_MINUTE).toBeGreaterThan(9);
    const rows = await byAgents();
    expect(new Set(rows.map(({ from }) => from)).size).toBeGreaterThanOrEqual(3);
    expect(rows.filter((row) => row.in_reply_to !== undefined).length).toBeGreaterThanOrEqual(5);
    expect(new Set(rows.map((row) => row.thread_id)).size).toBeGreaterThanOrEqual(2);
    const { agents } = await hive.api<StateSnapshot>('GET', '/api/state');
    expect(agents.map(({ name }) => name).sort()).toEqual(AGENTS);
    expect(agents.find(({ name }) => name === 'manager')?.role).toBe('manager');
  });

  it('comes to rest by itself, everything read, with a report for the operator', async () => {
    await expect
      .poll(async () => {
        const bodies = (await messages('agent=operator&limit=50')).map(({ body }) => body);
        return bodies.some((body) => body.startsWith('“announcement'));
      }, AT_LAST)
      .toBe(true);
    await expect.poll(isCalm, AT_LAST).toBe(true);
    const rows = await messages();
    expect(rows.length).toBeLessThan(50);
    expect(Math.max(...rows.map(({ hop }) => hop))).toBeLessThan(32);
    const { turns } = await hive.api<StateSnapshot>('GET', '/api/state');
    expect(turns.filter(({ result_kind: result }) => result !== 'ok')).toEqual([]);
  });

  it('told everybody, reminded itself, and asked the operator', async () => {
    const rows = await messages();
    const toAll = rows.filter(({ broadcast }) => broadcast);
    expect(toAll).toMatchObject([{ from: 'manager', to: '*' }]);
    const heard = rows.filter(({ in_reply_to: to }) => to === toAll[0]?.id);
    expect(heard.map(({ from }) => from).sort()).toEqual(['builder', 'forager', 'guard']);
    const reminded = rows.filter(({ kind }) => kind === 'reminder');
    expect(reminded.map(({ to }) => to)).toEqual(['guard', 'guard']);
    expect(rows.filter(({ body }) => body.includes('once more, as I had set myself'))).toHaveLength(
      2,
    );

    const { events } = await hive.api<DashboardAnswers['events']>(
      'GET',
      '/api/agents/manager/events?limit=1000',
    );
    const shown = events.map(({ event }) => event.text ?? '').join('\n');
    expect(shown).toContain('asks the operator: “release of Beacon 1.4” is ready.');
  });

  it.each([
    ['forager', 'Is the parser safe?', /parser/],
    ['builder', 'Please mend the fence.', /^Done: “mend the fence”/],
    ['manager', 'How far are you?', /forager: running/],
    ['manager', 'Ask guard whether it is tight', /^guard says:/],
  ])('lets %s answer %j of the operator', async (to, body, words) => {
    const { thread_id: thread } = await hive.api<SendResult>('POST', '/api/messages', { to, body });
    await expect
      .poll(async () => {
        const rows = await messages(`thread=${thread}`);
        return rows.filter((row) => row.to === 'operator').map((row) => row.body);
      }, AT_LAST)
      .toContainEqual(expect.stringMatching(words));
  });

  it('stops with exit code 0 and leaves no process; started again it goes on, and does not begin anew', async () => {
    await expect.poll(isCalm, AT_LAST).toBe(true);
    const before = new Set((await messages()).map(({ id }) => id));
    const pids = await Promise.all(
      AGENTS.map(async (name) => {
        const { agent } = await hive.api<{ agent: AgentDetail }>('GET', `/api/agents/${name}`);
        return agent.pid ?? 0;
      }),
    );
    pids.push(...(hive.file()?.services ?? []).map(({ pid }) => pid));
    expect(pids.every((pid) => pid > 0 && isAlive(pid))).toBe(true);
    expect(await hive.stop()).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);

    hive = await startHive({ demo: true, home });
    await expect
      .poll(async () => {
        const { agents } = await hive.api<StateSnapshot>('GET', '/api/state');
        return agents.every(({ state, harness_seen_at: seen }) => state === 'running' && seen);
      }, AT_LAST)
      .toBe(true);
    const { id } = await hive.api<SendResult>('POST', '/api/messages', {
      to: 'guard',
      body: 'Are you there again?',
    });
    await expect
      .poll(async () => (await messages(`thread=${id}`)).length, AT_LAST)
      .toBeGreaterThan(1);
    // Each agent is told by the hive that it was started again, and says nothing to that.
    const added = (await messages()).filter((row) => !before.has(row.id) && row.from !== 'system');
    expect(added.map(({ from, to }) => `${from} to ${to}`).sort()).toEqual([
      'guard to operator',
      'operator to guard',
    ]);
  });
});
