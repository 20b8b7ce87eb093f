import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { DashboardFixture } from '../testing/dashboard-fixture.js';

let dashboard: DashboardFixture;
beforeAll(async () => {
  dashboard = await DashboardFixture.start();
});
afterAll(() => dashboard.stop());

const MESSAGE = { to: 'scout', body: 'hello' };

/** Every operation of the OpenAPI document, with a value for each part of its path. */
async function operations(): Promise<{ method: string; path: string; isOpen: boolean }[]> {
  const answer = await dashboard.asOperator('GET', '/api/openapi.json');
  const { paths } = answer.json() as { paths: Record<string, Record<string, { security?: [] }>> };
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path: path.replace('{name}', 'scout').replace('{id}', 'm1'),
      isOpen: security?.length === 0,
    })),
  );
}

describe(verifies('8.4', 'P30') + 'the door without a login', () => {
  it('opens nothing of the API, to nobody and to the cookie alone', async () => {
    const { cookie } = await dashboard.login();
    const found = await operations();
    expect(found.length).toBeGreaterThan(25);
    for (const { method, path, isOpen } of found) {
      const call = method === 'GET' ? {} : { body: {} };
      const nobody = await dashboard.call(method, path, call);
      const page = await dashboard.call(method, path, { ...call, headers: { cookie } });
      expect([path, nobody.status, page.status]).toEqual([
        path,
        ...(isOpen ? [200, 200] : [401, 401]),
      ]);
    }
    expect(found.filter(({ isOpen }) => isOpen).map(({ path }) => path)).toEqual([
      '/healthz',
      '/readyz',
    ]);
  });

  it.each([
    ['GET', '/'],
    ['GET', '/agents/scout'],
    ['GET', '/theme.js'],
    ['GET', '/assets/page-1a2b.js'],
    ['GET', '/%61pi/state'],
    ['GET', '//api/state'],
    ['GET', '/api/docs'],
    ['GET', '/api/docs/swagger-ui-init.js'],
    ['GET', '/api/openapi.json'],
    ['GET', '/tool-session.js'],
    ['GET', '/queues'],
    ['GET', '/queues/queue/maintenance'],
    ['GET', '/queues/api/queues'],
    ['PUT', '/queues/api/queues/pause'],
    ['GET', '/api/unknown'],
    ['HEAD', '/api/state'],
    ['OPTIONS', '/api/messages'],
    ['DELETE', '/api/agents/scout'],
    ['POST', '/'],
  ])('refuses %s %s', async (method, path) => {
    const answer = await dashboard.call(method, path);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('Bearer');
  });

  it('lets the cookie alone read the tools, not work them', async () => {
    const session = await dashboard.login();
    const { cookie } = session;
    for (const path of ['/queues', '/api/docs', '/api/openapi.json', '/tool-session.js']) {
      expect((await dashboard.call('GET', path, { headers: { cookie } })).status).toBe(200);
    }
    for (const [method, path] of [
      ['GET', '/queues/api/queues'],
      ['PUT', '/queues/api/queues/pause'],
      ['GET', '/%61pi/state'],
    ] as const) {
      const answer = await dashboard.call(method, path, { headers: { cookie } });
      expect([path, answer.status]).toEqual([path, 401]);
    }
  });
});

describe(verifies('8.4') + 'Host and Origin', () => {
  it.each([
    'evil.example',
    'evil.example:PORT',
    '127.0.0.1',
    '127.0.0.1:1',
    'localhost',
    '',
    '127.0.0.1:PORT.evil.example',
    '[::1]',
    'hive.localhost:PORT',
  ])('refuses Host %j, whatever the credential', async (pattern) => {
    const host = pattern.replace('PORT', String(dashboard.port));
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/api/state'],
      ['POST', '/api/messages'],
      ['GET', `/login?token=${dashboard.c0re.link()}`],
    ] as const) {
      const answer = await dashboard.asOperator(method, path, { headers: { host } });
      expect([host, path, answer.status]).toEqual([host, path, 403]);
    }
    expect(dashboard.broker.of('send')).toEqual([]);
  });

  it.each(['127.0.0.1:PORT', 'localhost:PORT', '[::1]:PORT', 'LocalHost:PORT'])(
    'takes Host %s',
    async (pattern) => {
      const host = pattern.replace('PORT', String(dashboard.port));
      expect((await dashboard.asOperator('GET', '/api/state', { headers: { host } })).status).toBe(
        200,
      );
    },
  );

  it.each([
    'http://evil.example',
    'http://127.0.0.1',
    'http://127.0.0.1:1',
    'https://127.0.0.1:PORT',
    'null',
    'http://127.0.0.1:PORT.evil.example',
    'http://127.0.0.1:PORT@evil.example',
  ])('refuses a mutation from %s with nothing stored', async (pattern) => {
    const origin = pattern.replace('PORT', String(dashboard.port));
    const session = await dashboard.login();
    for (const headers of [session, dashboard.bearer]) {
      const answer = await dashboard.call('POST', '/api/messages', {
        body: MESSAGE,
        headers: { ...headers, origin },
      });
      expect(answer.status).toBe(403);
      expect(answer.json()).toHaveProperty('error.code', 'forbidden');
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
    expect(dashboard.broker.of('send')).toEqual([]);
  });

  it('takes a mutation from its own page and from scripts without an Origin', async () => {
    const session = await dashboard.login();
    const own = { ...session, origin: dashboard.origin };
    for (const headers of [own, dashboard.bearer]) {
      const answer = await dashboard.call('POST', '/api/messages', { body: MESSAGE, headers });
      expect(answer.status).toBe(201);
    }
  });
});

describe(verifies('8.4') + 'headers', () => {
  it('come with every answer, refusals too', async () => {
    for (const answer of [
      await dashboard.asOperator('GET', '/'),
      await dashboard.call('GET', '/api/state'),
      await dashboard.asOperator('GET', '/api/state'),
      await dashboard.asOperator('GET', '/', { headers: { host: 'evil.example' } }),
    ]) {
      const { headers } = answer;
      const policy = headers['content-security-policy'] ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['x-frame-options']).toBe('DENY');
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(headers['x-powered-by']).toBeUndefined();
    }
  });

  it('keep scripts to files of this origin on the tool pages too', async () => {
    for (const path of ['/queues', '/api/docs']) {
      const { headers, text } = await dashboard.asOperator('GET', path);
      expect(headers['content-security-policy']).toContain("script-src 'self';");
      expect(text).not.toMatch(/(src|href)=["']?https?:/);
      expect(text).toContain('/tool-session.js');
    }
  });

  it('let no store keep what the API says', async () => {
    const answer = await dashboard.asOperator('GET', '/api/state');
    expect(answer.headers['cache-control']).toBe('no-store');
  });
});

describe(verifies('8.4') + "the page's files", () => {
  it('are served with their types, hashed ones to be kept', async () => {
    const page = await dashboard.asOperator('GET', '/agents/scout');
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.headers['cache-control']).toBe('private, no-cache');
    const script = await dashboard.asOperator('GET', '/assets/page-1a2b.js');
    expect(script.headers['content-type']).toContain('javascript');
    expect(script.headers['cache-control']).toContain('immutable');
  });

  it.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%2f..%2f..%2fsecret.txt',
    '/assets/../../../secret.txt',
  ])('end at their folder: %s', async (path) => {
    const answer = await dashboard.asOperator('GET', path);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.text).not.toContain('not of the page');
  });

  it('are not made up', async () => {
    for (const path of ['/assets/gone.js', '/api/unknown', '/queues/api/unknown', '/events']) {
      const answer = await dashboard.asOperator('GET', path);
      expect([path, answer.status]).toEqual([path, 404]);
      expect(answer.json()).toHaveProperty('error.code', 'not_found');
    }
  });
});

describe(verifies('P30') + 'c0re away', () => {
  it('shuts the door, and opens it again', async () => {
    await dashboard.c0re.stop();
    const waiting = dashboard.asOperator('GET', '/api/state');
    const health = await dashboard.call('GET', '/healthz');
    expect(health.status).toBe(200);
    const ready = await dashboard.call('GET', '/readyz');
    expect([ready.status, ready.json()]).toEqual([503, expect.objectContaining({ c0re: false })]);
    await dashboard.c0re.start();
    expect((await waiting).status).toBe(200);
  });
});
