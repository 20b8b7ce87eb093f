import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { GatewayFixture } from '../testing/gateway-fixture.js';
import { codeOf, textOf, type TestClient } from '../testing/mcp-client.js';

let fixture: GatewayFixture;
let manager: TestClient;

beforeEach(async () => {
  fixture = await GatewayFixture.start({ toolPatienceMs: 3000 });
  fixture.broker.knows('token-m', 'manager', 'run', 'manager');
  fixture.broker.knows('token-a', 'alice', 'run');
  manager = await fixture.connect('token-m');
});
afterEach(() => fixture.stop());

const SHA = '0123456789'.repeat(4);

describe(verifies('4.6', 'P29', 'P11') + "the manager's tools", () => {
  it("pass the request on with the caller's token and an id of its own", async () => {
    fixture.c0re.answer = () => ({ body: { id: 'a3', state: 'pending', sha: SHA } });
    const call = { agent: 'ada', commit_ref: '0123456', description: 'why' };
    const result = await manager.call('request_apply_commit', call);
    expect(result.structuredContent).toEqual({ id: 'a3', state: 'pending', sha: SHA });
    expect(textOf(result)).toBe(`a3 is pending, pinned at ${SHA}; the operator decides.`);
    expect(fixture.c0re.requests).toEqual([
      {
        method: 'POST',
        url: '/v1/manager/apply-commit',
        authorization: 'Bearer token-m',
        body: { ...call, request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      },
    ]);
  });

  it('wait for a c0re that is being restarted, with the same id', async () => {
    fixture.c0re.refuse(503, { code: 'unavailable', message: 'stopping' });
    const pending = manager.call('restart', { name: 'ada' });
    await expect.poll(() => fixture.c0re.requests.length).toBeGreaterThan(1);
    const operation = { id: 'o4', kind: 'restart', agent: 'ada', state: 'queued' };
    fixture.c0re.answer = () => ({ status: 202, body: { operation } });
    expect((await pending).structuredContent).toEqual(operation);
    const ids = new Set(fixture.c0re.requests.map(({ body }) => body?.['request_id']));
    expect(ids.size).toBe(1);
  });

  it('say in words what c0re refused, and that it is away', async () => {
    fixture.c0re.refuse(403, { code: 'forbidden', message: 'you cannot stop yourself' });
    const refused = await manager.call('stop', { name: 'manager' });
    expect([codeOf(refused), textOf(refused)]).toEqual([
      'forbidden',
      'Refused (forbidden): you cannot stop yourself',
    ]);
    await fixture.c0re.stop();
    expect(codeOf(await manager.call('start', { name: 'ada' }))).toBe('unavailable');
  });

  it('keep a name from becoming another path', async () => {
    fixture.c0re.answer = () => ({ body: { agent: 'x', lines: [] } });
    await manager.call('get_logs', { agent: '../../approvals/a1?x=', lines: 500 });
    expect(fixture.c0re.requests.map(({ url }) => url)).toEqual([
      '/v1/manager/agents/..%2F..%2Fapprovals%2Fa1%3Fx%3D/journal?lines=500',
    ]);
  });

  it(
    verifies('8.3', '8.7') + 'write a cancel of another’s into the audit log before it is done',
    async () => {
      const order: string[] = [];
      fixture.c0re.answer = ({ url, body }) => {
        order.push(`${url} ${String(body?.['kind'])} ${String(body?.['id'])}`);
        return { body: {} };
      };
      fixture.broker.on('cancel_question', () => {
        order.push('cancel_question');
        return { id: 'q3', state: 'cancelled' };
      });
      fixture.broker.on('cancel_reminder', () => {
        order.push('cancel_reminder');
        return { id: 'r5', state: 'cancelled' };
      });
      await manager.call('cancel_question', { id: 'q3' });
      await manager.call('cancel_reminder', { id: 'r5' });
      expect(order).toEqual([
        '/v1/manager/cancels question q3',
        'cancel_question',
        '/v1/manager/cancels reminder r5',
        'cancel_reminder',
      ]);
      fixture.c0re.refuse(401, { code: 'superseded', message: 'over' });
      expect(codeOf(await manager.call('cancel_question', { id: 'q3' }))).toBe('superseded');
      expect(order).toHaveLength(4);
    },
  );

  it(verifies('8.3') + 'do not exist for other agents', async () => {
    const alice = await fixture.connect('token-a');
    const { tools } = await alice.client.listTools();
    expect(tools.map(({ name }) => name)).not.toContain('request_spawn');
    const { tools: more } = await manager.client.listTools();
    expect(more.map(({ name }) => name)).toContain('request_spawn');
    for (const name of ['request_spawn', 'stop', 'restart_all', 'get_logs', 'cancel_question']) {
      expect(codeOf(await alice.call(name, { name: 'bob' }))).toBe('unknown_method');
    }
    fixture.broker.on('cancel_reminder', () => ({ id: 'r5', state: 'cancelled' }));
    await alice.call('cancel_reminder', { id: 'r5' });
    expect(fixture.c0re.requests).toEqual([]);
  });
});
