import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type {
  C0reAnswers,
  C0reHealth,
  ErrorBody,
  OperatorSession,
  SessionCheck,
} from '#libs/protocol';
import { C0RE_PEERS, C0RE_ROUTES, type C0rePeer, type C0reRoute } from '#libs/requests';

import { verifies } from '../../../../test/requirements/verifies.js';
import { AuditRepository } from '../audit/audit.repository.js';
import { C0reDatabase } from '../database/c0re.database.js';
import { C0reFixture, UID_BASE } from '../testing/c0re.fixture.js';
import { describeAsRoot } from '../testing/describe-as-root.js';
import { refusal } from '../testing/refusal.js';

let hive: C0reFixture;
let token: string;

beforeAll(async () => {
  hive = await C0reFixture.started();
  token = readFileSync(path.join(hive.home, 'secrets', 'operator-token'), 'utf8').trim();
  await hive.spawn('ada');
});
afterAll(async () => {
  await hive.remove();
});

/** Sends bytes as they are; the status and the error's code of the answer. */
async function raw(
  peer: C0rePeer,
  request: string | Buffer,
): Promise<{ status: number; code?: string }> {
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(hive.socket(peer), () => socket.write(request));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
  return { status, code: (JSON.parse(body || '{}') as Partial<ErrorBody>).error?.code };
}

function http(method: string, url: string, body: string | Buffer = '', more = ''): Buffer {
  const payload = Buffer.from(body);
  const head = `${method} ${url} HTTP/1.1\r\nHost: c0re\r\nConnection: close\r\n${more}`;
  const type = payload.length > 0 && !more ? 'Content-Type: application/json\r\n' : '';
  return Buffer.concat([
    Buffer.from(`${head}${type}Content-Length: ${payload.length}\r\n\r\n`),
    payload,
  ]);
}

const asOperator = () => ({ authorization: `Bearer ${token}` });

describe(verifies('8.1', 'P29') + 'each peer', () => {
  const cases = C0RE_PEERS.flatMap((peer) =>
    Object.entries<C0reRoute>(C0RE_ROUTES)
      .filter(([, route]) => !route.peers.includes(peer))
      .map(([name, route]) => ({ peer, name, route })),
  );

  it.each(cases)('$peer cannot send $name', async ({ peer, route }) => {
    const url = route.path.replace(':name', 'ada');
    const error = await refusal(
      hive.client(peer).call({ method: route.method, path: url, headers: asOperator() }),
    );
    expect([error.code, error.status]).toEqual(['unknown_method', 404]);
  });

  it.each(C0RE_PEERS)('%s may ask for health, and learns only what is its own', async (peer) => {
    const health = await hive.getJson<C0reHealth>(peer, '/v1/health');
    expect(health).toMatchObject({ ok: true, service: 'c0re' });
    const knowsMore = peer === 'dashboard' || peer === 'admin';
    expect(health.protections_off !== undefined).toBe(knowsMore);
  });

  it('finds its socket with the mode of one that only it may open', () => {
    for (const peer of C0RE_PEERS) {
      const { mode } = lstatSync(hive.socket(peer));
      expect((mode & 0o777).toString(8)).toBe(peer === 'admin' ? '600' : '660');
    }
  });
});

describeAsRoot(verifies('P29') + 'sockets, started as root', () => {
  it('belong to the group of their one peer', () => {
    const groups = C0RE_PEERS.map((peer) => lstatSync(hive.socket(peer)).gid);
    expect(groups).toEqual([UID_BASE + 3, UID_BASE + 2, UID_BASE + 4, 0]);
  });

  it('cannot be opened by another user, an agent for example', () => {
    for (const peer of C0RE_PEERS) {
      const asAgent = () =>
        execFileSync(
          'setpriv',
          [
            '--reuid=1610679272',
            '--regid=1610679272',
            '--clear-groups',
            hive.nodePath,
            '-e',
            `require('net').connect(${JSON.stringify(hive.socket(peer))}).on('error', (e) => { console.log(e.code); process.exit(1); }).on('connect', () => process.exit(0))`,
          ],
          { stdio: 'pipe' },
        );
      expect(asAgent).toThrow(
        expect.objectContaining({ status: 1, stdout: Buffer.from('EACCES\n') }),
      );
    }
  });
});

describe(verifies('P30', '8.3') + 'what needs the operator', () => {
  const needing = Object.entries<C0reRoute>(C0RE_ROUTES).filter(
    ([, route]) => route.operator && route.peers.includes('dashboard'),
  );

  it.each(needing)('%s is refused without, and with foreign credentials', async (_name, route) => {
    const url = route.path.replace(':name', 'ada');
    const agentToken = readFileSync(hive.agentPath('ada', 'run', 'token'), 'utf8');
    const { cookie } = await session();
    const tries: Record<string, string>[] = [
      {},
      { authorization: 'Bearer x' },
      { authorization: `Bearer ${agentToken}` },
      { authorization: `Basic ${token}` },
      { authorization: '' },
      { 'x-hive-cookie': cookie },
      { 'x-hive-cookie': cookie, 'x-hive-session': 'x' },
      { cookie: `hive_session=${cookie}` },
    ];
    for (const headers of tries) {
      const { method } = route;
      const body = method === 'POST' ? { body: {} } : {};
      const error = await refusal(
        hive.client('dashboard').call({ method, path: url, headers, ...body }),
      );
      expect([error.code, error.status]).toEqual(['operator_required', 401]);
    }
    expect((await hive.agent('ada')).state).toBe('running');
  });

  it('passes with the operator token, and with a session and its page secret', async () => {
    const { cookie, page_secret } = await session();
    const both = { 'x-hive-cookie': cookie, 'x-hive-session': page_secret };
    for (const headers of [asOperator(), both]) {
      const { operation } = await hive.post<C0reAnswers['operation']>(
        'dashboard',
        '/v1/agents/ada/start?wait=1',
        { reason: 'because' },
        headers,
      );
      expect(operation).toMatchObject({ state: 'done', asked_by: 'operator', reason: 'because' });
    }
    expect(await hive.post<SessionCheck>('dashboard', '/v1/sessions/check', {}, both)).toEqual({
      scope: 'api',
      kind: 'session',
    });
  });
});

async function session(of = hive): Promise<OperatorSession> {
  const { token: loginToken } = await of.post<C0reAnswers['login_link']>(
    'admin',
    '/v1/login-links',
  );
  return of.post<OperatorSession>('dashboard', '/v1/login', { token: loginToken });
}

describe(verifies('8.1') + 'a request that is not in order', () => {
  it.each<[string, string | Buffer, number, string]>([
    ['no JSON', http('POST', '/v1/login', '{"token":'), 400, 'malformed_json'],
    [
      'bytes that are not UTF-8',
      http('POST', '/v1/login', Buffer.from([0x22, 0xff, 0x22])),
      400,
      'malformed_json',
    ],
    [
      'a prototype',
      http('POST', '/v1/login', '{"__proto__": {"token": "x"}}'),
      400,
      'malformed_json',
    ],
    ['no object', http('POST', '/v1/login', '[]'), 400, 'invalid_request'],
    ['null', http('POST', '/v1/login', 'null'), 400, 'invalid_request'],
    ['a missing field', http('POST', '/v1/login', '{}'), 400, 'invalid_request'],
    [
      'a field of a wrong type',
      http('POST', '/v1/login', '{"token": ["x"]}'),
      400,
      'invalid_request',
    ],
    [
      'an unknown field',
      http('POST', '/v1/agents/ada/stop', '{"force": true}'),
      400,
      'unknown_field',
    ],
    [
      'a body where none belongs',
      http('POST', '/v1/login-links', '{"a": 1}'),
      400,
      'unknown_field',
    ],
    ['an unknown query', http('GET', '/v1/agents?all=1'), 400, 'unknown_field'],
    ['a query out of bounds', http('GET', '/v1/operations?limit=1000'), 400, 'invalid_request'],
    [
      'a query that is no number',
      http('GET', '/v1/agents/ada/journal?lines=x'),
      400,
      'invalid_request',
    ],
    ['a query given twice', http('GET', '/v1/operations?limit=1&limit=2'), 400, 'invalid_request'],
    [
      'too large a body',
      'POST /v1/login HTTP/1.1\r\nHost: c0re\r\nContent-Type: application/json\r\nContent-Length: 300000\r\n\r\n',
      413,
      'too_large',
    ],
    [
      'a deep body',
      http('POST', '/v1/login', `${'['.repeat(100_000)}${']'.repeat(100_000)}`),
      400,
      'invalid_request',
    ],
    [
      'a text body',
      http('POST', '/v1/login', 'x', 'Content-Type: text/plain\r\n'),
      400,
      'invalid_request',
    ],
    ['another method', http('DELETE', '/v1/agents/ada'), 404, 'unknown_method'],
    ['another path', http('GET', '/v1/agents/ada/files'), 404, 'unknown_method'],
    ['the name ..', http('POST', '/v1/agents/%2e%2e/stop'), 400, 'invalid_name'],
    ['the name a/b', http('POST', '/v1/agents/a%2fb/stop'), 400, 'invalid_name'],
    ['the name -x', http('POST', '/v1/agents/-x/stop'), 400, 'invalid_name'],
    ['the name $(id)', http('POST', '/v1/agents/$(id)/stop'), 400, 'invalid_name'],
    ['a name with a NUL', http('POST', '/v1/agents/a%00/stop'), 400, 'invalid_name'],
    ['a name that cannot be read', http('POST', '/v1/agents/%zz/stop'), 400, 'invalid_request'],
    ['a name that nobody has', http('POST', '/v1/agents/nobody/stop'), 404, 'not_found'],
  ])('%s', async (_what, request, status, code) => {
    expect(await raw('admin', request)).toEqual({ status, code });
  });

  it('leaves the socket working when it is not HTTP at all', async () => {
    expect((await raw('admin', '\0\0\0\0garbage\r\n\r\n')).status).toBe(400);
    expect(await hive.getJson('admin', '/v1/health')).toMatchObject({ ok: true });
  });
});

describe(verifies('8.7') + 'the audit log', () => {
  it('has a row for each action, done or refused, without any secret', async () => {
    // Its own: refusals beyond sixty a minute are only counted, and the tests above made more.
    const other = await C0reFixture.started();
    await other.spawn('ada');
    const own = readFileSync(path.join(other.home, 'secrets', 'operator-token'), 'utf8').trim();
    const audit = other.get(AuditRepository);
    const { cookie, page_secret } = await session(other);
    await refusal(
      other.post('dashboard', '/v1/agents/ada/stop', {}, { authorization: 'Bearer y' }),
    );
    const { operation } = await other.post<C0reAnswers['operation']>(
      'dashboard',
      '/v1/agents/ada/restart',
      {},
      { authorization: `Bearer ${own}` },
    );
    await refusal(other.post('admin', '/v1/agents', { name: 'ada', config: {} }));
    await other.post('dashboard', '/v1/logout', {}, { 'x-hive-cookie': cookie });
    const rows = audit.newest(6).map(({ id: _id, at: _at, ...row }) => row);
    expect(rows.toReversed()).toEqual([
      { who: 'operator', via: 'admin', action: 'create_login_link', target: null, result: 'ok' },
      { who: 'operator', via: 'login', action: 'login', target: null, result: 'ok' },
      { who: 'unknown', via: 'none', action: 'stop', target: 'ada', result: 'operator_required' },
      { who: 'operator', via: 'token', action: 'restart', target: 'ada', result: operation.id },
      { who: 'operator', via: 'admin', action: 'spawn', target: null, result: 'name_taken' },
      { who: 'operator', via: 'login', action: 'logout', target: null, result: 'ok' },
    ]);
    const all = JSON.stringify(audit.newest(1000));
    for (const secret of [own, cookie, page_secret]) expect(all).not.toContain(secret);
    await other.remove();
  });

  it('cannot be changed or shortened', () => {
    const { db } = hive.get(C0reDatabase);
    expect(() => db.exec("UPDATE audit SET who = 'nobody'")).toThrow(/append-only/);
    expect(() => db.exec('DELETE FROM audit')).toThrow(/append-only/);
  });
});

describe(verifies('P37') + 'the place of a socket', () => {
  it('is taken over from a dead predecessor, whatever lies there', async () => {
    const other = new C0reFixture();
    await other.start();
    await other.stop();
    writeFileSync(other.socket('dashboard'), 'left over');
    symlinkSync('/etc/hostname', other.socket('gateway'));
    await other.start();
    expect(await other.getJson('dashboard', '/v1/health')).toMatchObject({ ok: true });
    expect(await other.getJson('gateway', '/v1/health')).toMatchObject({ ok: true });
    await other.remove();
  });

  it('is refused with one sentence when its path is too long', async () => {
    const other = new C0reFixture({ env: { HIVE_RUNTIME_DIR: `/tmp/${'long'.repeat(30)}` } });
    await expect(other.start()).rejects.toThrow(/longer than 107 bytes; use a shorter/);
    await other.stop();
    await other.remove();
  });
});
