import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { HiveError, type ApprovalRow } from '#libs/protocol';

import { verifies } from '../../../test/requirements/verifies.js';
import { TestCli } from './testing/test-cli.js';

const cli = new TestCli();
const { dashboard } = cli;
const hive = (...args: string[]) => cli.hive(args);
const SHA = '0123456789'.repeat(4);

beforeAll(() => cli.start());
afterAll(() => cli.stop());
beforeEach(() => cli.reset());

function approval(change: Partial<ApprovalRow> = {}): ApprovalRow {
  return {
    version: 1,
    id: 'a3',
    kind: 'apply_commit',
    state: 'pending',
    agent: 'scout',
    commit_ref: '0123456',
    sha: SHA,
    inputs: [],
    description: 'better\u001b[2J words',
    requested_by: 'manager',
    requested_at: '2026-01-01T11:58:00.000Z',
    bases: { running: SHA, approved: null, queued: null },
    decided_by: null,
    decided_at: null,
    reason: null,
    error: null,
    resolved_at: null,
    ...change,
  };
}
const detail = (base: string, change: Partial<ApprovalRow> = {}) => ({
  approval: approval(change),
  base,
  diff: { from: null, to: SHA, diff: '-a\n+b\u001b[2J' },
});
const asked = () =>
  dashboard.requests.map(({ method, path, body }) => [`${method} ${path}`, body] as const);

describe(verifies('10.4', '4.4', '4.6', '8.7') + 'hive: approvals', () => {
  it('lists what waits, or everything, without letting a text steer the terminal', async () => {
    dashboard.on('GET /api/approvals?state=pending', () => ({ approvals: [approval()] }));
    const { out, code } = await hive('approvals');
    expect(code).toBe(0);
    expect(out).toMatch(/^ID +STATE +KIND/);
    expect(out).toContain('a3  pending  apply_commit  scout  012345678901  2 min');
    expect(out).not.toContain('\u001b');
    dashboard.on('GET /api/approvals', () => ({ approvals: [] }));
    expect((await hive('approvals', '--all')).out).toContain('nothing was ever asked for');
  });

  it('shows one with its diff against a base', async () => {
    dashboard.on('GET /api/approvals/a3?base=queued', () => detail('queued'));
    const { out } = await hive('approvals', 'a3', '--base', 'queued');
    expect(out).toContain(`commit ${SHA}`);
    expect(out).toContain('against queued:\n-a\n+b');
    expect(out).not.toContain('\u001b');
  });

  it('approves only by the commit that was seen', async () => {
    dashboard.on('GET /api/approvals/a3?base=none', () => detail('none'));
    dashboard.on('POST /api/approvals/a3/approve?wait=1', () => ({
      approval: approval({ state: 'deployed' }),
    }));
    const without = await hive('approve', 'a3');
    expect([without.code, without.err]).toEqual([
      2,
      expect.stringContaining(`hive approve a3 ${SHA}`),
    ]);
    const { code, out } = await hive('approve', 'a3', SHA);
    expect([code, out]).toEqual([0, expect.stringContaining('a3 is deployed')]);
    expect(asked().at(-1)).toEqual(['POST /api/approvals/a3/approve?wait=1', { sha: SHA }]);
  });

  it('fails with the error when the deploy failed, and with the refusal when it was refused', async () => {
    dashboard.on('GET /api/approvals/a3?base=none', () => detail('none', { sha: null }));
    dashboard.on('POST /api/approvals/a3/approve?wait=1', () => ({
      approval: approval({ state: 'failed', error: 'no such secret' }),
    }));
    const failed = await hive('approve', 'a3', '--json');
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.err)).toMatchObject({
      error: { code: 'failed', message: expect.stringContaining('no such secret') },
    });
    dashboard.on('POST /api/approvals/a3/approve?wait=1', () => {
      throw new HiveError('conflict', 'a3 is denied already');
    });
    expect(await hive('approve', 'a3')).toMatchObject({
      code: 1,
      err: expect.stringContaining('a3 is denied already'),
    });
  });

  it('denies with a reason', async () => {
    dashboard.on('POST /api/approvals/a3/deny', () => ({
      approval: approval({ state: 'denied' }),
    }));
    expect((await hive('deny', 'a3', 'too broad')).out).toContain('a3 is denied');
    expect(asked().at(-1)?.[1]).toEqual({ reason: 'too broad' });
    await hive('deny', 'a3');
    expect(asked().at(-1)?.[1]).toEqual({});
  });

  it('shows a config, its history and a diff', async () => {
    dashboard.on('GET /api/agents/scout/config/file', () => ({ text: 'model: x\n' }));
    expect((await hive('config', 'show', 'scout')).out).toContain('model: x');
    dashboard.on('GET /api/agents/scout/config', () => ({
      history: [
        {
          tag: 'denied/a3',
          sha: SHA,
          state: 'denied',
          at: approval().requested_at,
          subject: 's',
          note: 'no',
        },
      ],
    }));
    expect((await hive('config', 'history', 'scout')).out).toMatch(
      /denied\/a3 +012345678901 +2 min/,
    );
    dashboard.on('GET /api/agents/scout/config/diff', () => ({ diff: '' }));
    expect((await hive('config', 'diff', 'scout', 'proposal/a3')).out).toContain('nothing differs');
    expect(asked().at(-1)?.[0]).toBe('GET /api/agents/scout/config/diff?to=proposal%2Fa3');
  });

  it('shows the audit log', async () => {
    const row = {
      id: '7',
      at: approval().requested_at,
      who: 'manager',
      via: 'manager',
      action: 'manager_stop',
      target: 'scout',
      result: 'o4',
    };
    dashboard.on('GET /api/audit', () => ({ audit: [row] }));
    expect((await hive('audit')).out).toContain('manager_stop');
    const { out } = await hive('audit', '--json', '--lines', '5');
    expect(JSON.parse(out)).toEqual({ audit: [row] });
    expect(asked().at(-1)?.[0]).toBe('GET /api/audit?limit=5');
  });
});
