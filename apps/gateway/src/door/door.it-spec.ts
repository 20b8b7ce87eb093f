import { request, type IncomingHttpHeaders } from 'node:http';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { TestHive, tokenOf } from '../testing/test-hive.js';

let hive: TestHive;

beforeAll(async () => {
  hive = await TestHive.start({ agents: ['alice', 'bob'] });
  await hive.withGateway();
});
afterAll(() => hive.stop());

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

interface Call {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string;
}

const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'raw', version: '1' },
  },
});

/** One raw request, with every header as the test wants it. */
function call({ method = 'POST', path = '/mcp', headers = {}, body }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${hive.url}${path}`,
      {
        method,
        headers: {
          accept: 'application/json, text/event-stream',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** A request to open a session that is `bytes` long. */
const padded = (bytes: number) => INITIALIZE + ' '.repeat(bytes - INITIALIZE.length);
const PING = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'ping' });

/** Opens a session and returns its id. */
async function open(name: string): Promise<string> {
  const answer = await call({ headers: bearer(name), body: INITIALIZE });
  return String(answer.headers['mcp-session-id']);
}

const bearer = (name: string) => ({ authorization: `Bearer ${tokenOf(name)}` });

describe(`${verifies('8.3', '8.4', 'P2', 'P36')}the door`, () => {
  it.each<[string, Record<string, string>]>([
    ['no token', {}],
    ['another scheme', { authorization: `Basic ${tokenOf('alice')}` }],
    ['no token after the scheme', { authorization: 'Bearer ' }],
    ['an endless token', { authorization: `Bearer ${'x'.repeat(4000)}` }],
  ])('answers %s with 401 and a challenge', async (_, headers) => {
    for (const path of ['/mcp', '/harness/v1/hello']) {
      const answer = await call({ path, headers, body: INITIALIZE });
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="hyperhive"');
      expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 'unauthorized' } });
    }
  });

  it('answers a wrong token with 401 that says so', async () => {
    const answer = await call({ headers: { authorization: 'Bearer nonsense' }, body: INITIALIZE });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
  });

  it('refuses before it reads the body', async () => {
    const answer = await call({ body: 'x'.repeat(2_000_000) }).catch(() => ({ status: 401 }));
    expect(answer.status).toBe(401);
  });

  it('forgets the token of a removed agent at once', async () => {
    await hive.addAgent('dave');
    expect((await call({ headers: bearer('dave'), body: INITIALIZE })).status).toBe(200);
    await hive.removeAgent('dave');
    await expect
      .poll(async () => (await call({ headers: bearer('dave'), body: INITIALIZE })).status)
      .toBe(401);
  });

  it.each<[string, Record<string, string>]>([
    ['a foreign Host', { host: 'evil.example' }],
    ['a rebound name with our port', { host: 'evil.example:7001' }],
    ['a foreign Origin', { origin: 'https://evil.example' }],
    ['the Origin of a file', { origin: 'null' }],
  ])('answers %s with 403, token or not', async (_, headers) => {
    for (const path of ['/mcp', '/harness/v1/hello', '/elsewhere']) {
      const answer = await call({ path, headers: { ...bearer('alice'), ...headers }, body: '{}' });
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 'forbidden' } });
    }
  });

  it('lets our own Host and Origin in', async () => {
    const headers = { ...bearer('alice'), host: 'localhost:7001', origin: 'http://localhost:7001' };
    expect((await call({ headers, body: INITIALIZE })).status).toBe(200);
  });

  it('takes 256 KiB and no byte more', async () => {
    expect((await call({ headers: bearer('alice'), body: padded(262_144) })).status).toBe(200);
    const answer = await call({ headers: bearer('alice'), body: padded(262_145) });
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.text)).toMatchObject({
      error: { code: 'too_large', message: expect.stringContaining('262144') as string },
    });
  });

  it('answers malformed JSON, another type and an unknown place in words', async () => {
    const broken = await call({ headers: bearer('alice'), body: '{"jsonrpc":' });
    expect([broken.status, JSON.parse(broken.text)]).toMatchObject([
      400,
      { error: { code: 'malformed_json' } },
    ]);
    const poisoned = await call({ headers: bearer('alice'), body: '{"__proto__": {"x": 1}}' });
    expect(poisoned.status).toBe(400);
    const typed = await call({
      headers: { ...bearer('alice'), 'content-type': 'text/plain' },
      body: '{}',
    });
    expect([typed.status, JSON.parse(typed.text)]).toMatchObject([
      415,
      { error: { code: 'invalid_request' } },
    ]);
    const lost = await call({ method: 'GET', path: '/.well-known/oauth-protected-resource' });
    expect([lost.status, JSON.parse(lost.text)]).toMatchObject([
      404,
      { error: { code: 'not_found' } },
    ]);
  });
});

describe(`${verifies('8.3', 'P36')}sessions`, () => {
  it('answer over SSE', async () => {
    const answer = await call({ headers: bearer('alice'), body: INITIALIZE });
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(answer.text).toContain('"name":"hyperhive"');
  });

  it('are needed: 400 without an id, 404 with an unknown one', async () => {
    for (const method of ['POST', 'GET', 'DELETE']) {
      const body = method === 'POST' ? PING : undefined;
      const without = await call({ method, headers: bearer('alice'), body });
      expect([method, without.status]).toEqual([method, 400]);
      const unknown = await call({
        method,
        headers: { ...bearer('alice'), 'mcp-session-id': 'nonsense' },
        body,
      });
      expect([method, unknown.status]).toEqual([method, 404]);
      expect(JSON.parse(unknown.text)).toMatchObject({ jsonrpc: '2.0', error: { code: -32_001 } });
    }
  });

  it('of another agent are as unknown as none', async () => {
    const id = await open('alice');
    const headers = { ...bearer('bob'), 'mcp-session-id': id };
    for (const method of ['POST', 'GET', 'DELETE']) {
      const answer = await call({ method, headers, body: method === 'POST' ? PING : undefined });
      expect([method, answer.status]).toEqual([method, 404]);
    }
    const own = await call({ headers: { ...bearer('alice'), 'mcp-session-id': id }, body: PING });
    expect(own.status).toBe(200);
  });

  it('end with DELETE', async () => {
    const headers = { ...bearer('alice'), 'mcp-session-id': await open('alice') };
    expect((await call({ method: 'DELETE', headers })).status).toBe(200);
    expect((await call({ headers, body: PING })).status).toBe(404);
  });
});
