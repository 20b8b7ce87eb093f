import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { OperationRow } from '#libs/protocol';

import { verifies } from '../../../test/requirements/verifies.js';
import { TestCli } from './testing/test-cli.js';

const cli = new TestCli();
const { dashboard } = cli;
const hive: TestCli['hive'] = (...args) => cli.hive(...args);

beforeAll(() => cli.start());
afterAll(() => cli.stop());
beforeEach(() => cli.reset());

const row = (change: Partial<OperationRow>): OperationRow => ({
  version: 1,
  id: 'o7',
  kind: 'purge',
  agent: 'scout',
  parent: null,
  state: 'done',
  asked_by: 'operator',
  reason: 'tidy up',
  asked_at: '2026-01-01T11:59:00.000Z',
  started_at: '2026-01-01T11:59:01.000Z',
  ended_at: '2026-01-01T11:59:03.500Z',
  error: null,
  ...change,
});
const bodyOf = (path: string) => dashboard.requests.find((request) => request.path === path)?.body;

describe(verifies('4.1', '10.4') + 'hive: destroyed agents', () => {
  it('lists them', async () => {
    const tombstone = {
      version: 1,
      agent_id: '3',
      name: 'scout',
      role: 'agent',
      driver: 'command',
      container: 'process',
      deployed_sha: null,
      created_at: '2026-01-01T10:00:00.000Z',
      destroyed_at: '2026-01-01T11:00:00.000Z',
    };
    dashboard.on('GET /api/tombstones', () => ({ tombstones: [tombstone] }));
    expect((await hive(['tombstones'])).out).toBe(
      'NAME   ID  ROLE   DRIVER   DESTROYED\nscout  3   agent  command  60 min ago\n',
    );
  });

  it('revives one, chosen by its id', async () => {
    dashboard.on('POST /api/agents/scout/revive', () => ({ operation: row({ kind: 'revive' }) }));
    expect(await hive(['revive', 'scout', '--id', '3'])).toMatchObject({
      code: 0,
      out: 'scout: revive done\n',
    });
    expect(bodyOf('/api/agents/scout/revive?wait=1')).toEqual({ agent_id: '3' });
  });

  it('purges only with the name said twice', async () => {
    dashboard.on('POST /api/agents/scout/purge', () => ({ operation: row({}) }));
    for (const args of [[], ['--confirm', 'other']]) {
      const refused = await hive(['purge', 'scout', ...args]);
      expect(refused).toMatchObject({ code: 2, out: '' });
      expect(refused.err).toContain('hive purge scout --confirm scout');
    }
    expect(dashboard.requests).toEqual([]);
    expect((await hive(['purge', 'scout', '--confirm', 'scout'])).out).toBe('scout: purge done\n');
    expect(bodyOf('/api/agents/scout/purge?wait=1')).toEqual({ confirm: 'scout' });
  });
});

describe(verifies('4.1', '10.4') + 'hive: all agents', () => {
  it.each(['restart-all', 'update-all'])('%s', async (verb) => {
    const operation = row({ kind: verb.replace('-', '_'), agent: null });
    dashboard.on(`POST /api/${verb}`, () => ({ operation }));
    const { code, out } = await hive([verb, '--reason', 'why not']);
    expect([code, out]).toEqual([0, `all agents: ${operation.kind} done\n`]);
    expect(bodyOf(`/api/${verb}?wait=1`)).toEqual({ reason: 'why not' });
  });

  it('lists operations with who asked, how long they took, and the error', async () => {
    const failed = row({ id: 'o8', state: 'failed', agent: null, error: 'no\u001b[2J room' });
    dashboard.on('GET /api/operations', () => ({ operations: [failed, row({})] }));
    const { out } = await hive(['operations', '--limit', '2']);
    expect(out).toContain('o7  purge  scout  done    60 s ago  2.5 s  operator  tidy up');
    expect(out).toContain('o8  purge  (all)  failed  60 s ago  2.5 s  operator  no\ufffd[2J room');
  });
});

describe(verifies('8.6', '10.4') + 'hive doctor', () => {
  const well = {
    container_driver: 'process',
    broker_in_step: true,
    protections_off: ['no limits'],
    checked_at: '2026-01-01T12:00:00.000Z',
    problems: [] as unknown[],
  };

  it('says what is off, and ends with 0 when nothing is wrong', async () => {
    dashboard.on('GET /api/doctor', () => well);
    const { code, out } = await hive(['doctor']);
    expect(code).toBe(0);
    expect(out).toContain('self-check  nothing found\nprotections off:\n  no limits\n');
  });

  it('names each problem, and ends with 1', async () => {
    const problems = [{ check: 'turn', message: 'ada\u001b[2J has a turn' }];
    dashboard.on('GET /api/doctor', () => ({ ...well, problems }));
    const { code, out, err } = await hive(['doctor']);
    expect([code, err]).toEqual([1, 'hive: problems found: 1\n']);
    expect(out).toContain('  turn: ada\ufffd[2J has a turn');
  });
});
