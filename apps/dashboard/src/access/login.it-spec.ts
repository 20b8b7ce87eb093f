import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { DashboardFixture } from '../testing/dashboard-fixture.js';

let dashboard: DashboardFixture;
beforeAll(async () => {
  dashboard = await DashboardFixture.start();
});
afterAll(() => dashboard.stop());

const HTML = { accept: 'text/html,*/*' };

describe(verifies('8.4', 'P30') + 'login', () => {
  it('opens a session once per link: cookie for the page, secret in the fragment', async () => {
    const token = dashboard.c0re.link();
    const answer = await dashboard.call('GET', `/login?token=${token}`);
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toMatch(/^\/#session=secret-[0-9a-f-]+$/);
    const cookie = String(answer.headers['set-cookie']);
    expect(cookie).toContain(`hive_session_${dashboard.port}=cookie-`);
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/']) expect(cookie).toContain(part);
    expect(answer.headers['referrer-policy']).toBe('no-referrer');

    const again = await dashboard.call('GET', `/login?token=${token}`, { headers: HTML });
    expect(again.status).toBe(401);
    expect(again.text).toContain('npm run hive -- login-link');
    expect(again.headers['set-cookie']).toBeUndefined();
  });

  it.each(['', '?token=', '?token=a&token=b', `?token=${'x'.repeat(300)}`, '?token=wrong'])(
    'refuses /login%s',
    async (query) => {
      const answer = await dashboard.call('GET', `/login${query}`);
      expect(answer.status).toBe(401);
      expect(answer.headers['set-cookie']).toBeUndefined();
    },
  );

  it('gives the page to the cookie alone, and the API only with the secret of the same session', async () => {
    const session = await dashboard.login();
    const other = await dashboard.login();
    const { cookie } = session;
    const page = await dashboard.call('GET', '/agents/scout', { headers: { cookie, ...HTML } });
    expect(page.status).toBe(200);
    expect(page.text).toContain('<title>page</title>');

    const cookieOnly = await dashboard.call('GET', '/api/state', { headers: { cookie } });
    expect(cookieOnly.status).toBe(401);
    expect((cookieOnly.json() as { error: { code: string } }).error.code).toBe('operator_required');
    const secretOnly = { 'x-hive-session': session['x-hive-session'] };
    expect((await dashboard.call('GET', '/api/state', { headers: secretOnly })).status).toBe(401);
    const mixed = { cookie, 'x-hive-session': other['x-hive-session'] };
    expect((await dashboard.call('GET', '/api/state', { headers: mixed })).status).toBe(401);
    expect((await dashboard.call('GET', '/api/state', { headers: session })).status).toBe(200);
  });

  it('takes no cookie of another port', async () => {
    const { cookie, ...secret } = await dashboard.login();
    const foreign = cookie.replace(/hive_session_\d+/, 'hive_session_1');
    const answer = await dashboard.call('GET', '/api/state', {
      headers: { cookie: foreign, ...secret },
    });
    expect(answer.status).toBe(401);
  });

  it('shows a page that says how to log in, with a policy that allows nothing else', async () => {
    const answer = await dashboard.call('GET', '/', { headers: HTML });
    expect(answer.status).toBe(401);
    expect(answer.text).toContain('npm run hive -- login-link');
    expect(answer.headers['content-security-policy']).toMatch(
      /^default-src 'none';style-src 'sha256-/,
    );
    const elsewhere = await dashboard.call('GET', '/', {
      headers: { ...HTML, 'sec-fetch-site': 'cross-site' },
    });
    expect(elsewhere.status).toBe(200);
    expect(elsewhere.text).toContain('http-equiv="refresh"');
  });

  it('makes another link for the operator, under the address that was asked', async () => {
    const answer = await dashboard.asOperator('POST', '/api/login-links');
    expect(answer.status).toBe(200);
    const { url } = answer.json() as { url: string };
    expect(url).toMatch(
      new RegExp(`^http://127\\.0\\.0\\.1:${dashboard.port}/login\\?token=link-`),
    );
    expect((await dashboard.call('GET', new URL(url).pathname + new URL(url).search)).status).toBe(
      303,
    );
  });

  it('ends the session on logout', async () => {
    const session = await dashboard.login();
    const answer = await dashboard.call('POST', '/api/logout', { headers: session });
    expect(answer.status).toBe(204);
    expect(String(answer.headers['set-cookie'])).toContain('Max-Age=0');
    expect((await dashboard.call('GET', '/api/state', { headers: session })).status).toBe(401);
  });

  it('forwards the credential of each request to c0re and never logs one', async () => {
    const session = await dashboard.login();
    const secret = session['x-hive-session'];
    await dashboard.call('GET', '/api/operations', { headers: session });
    const seen = dashboard.c0re.requests.findLast((request) =>
      request.path.startsWith('/v1/operations'),
    );
    expect(seen?.headers['x-hive-session']).toBe(secret);
    expect(seen?.headers['x-hive-cookie']).toBe(session.cookie.split('=')[1]);
    expect(seen?.headers.cookie).toBeUndefined();
    await dashboard.asOperator('GET', '/api/operations');
    await dashboard.call('GET', '/login?token=a-token-that-is-wrong');
    for (const text of [
      secret,
      session.cookie.split('=')[1],
      dashboard.c0re.operatorToken,
      'a-token',
    ]) {
      expect(dashboard.logged).not.toContain(text);
    }
  });
});
