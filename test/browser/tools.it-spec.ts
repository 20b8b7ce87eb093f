import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { verifies } from '../requirements/verifies.js';
import { appears, launchBrowser, watchedPage, WIDE, type Watched } from '../support/browser.js';
import { startHive, type RunningHive } from '../support/hive.js';

describe(verifies('7.5', '8.4', 'P30') + 'the tool pages of a real hive, in a browser', () => {
  let hive: RunningHive;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let watched: Watched;

  beforeAll(async () => {
    hive = await startHive();
    browser = await launchBrowser();
    context = await browser.newContext({ viewport: WIDE, reducedMotion: 'reduce' });
    ({ page, watched } = await watchedPage(context));
    await page.goto(await hive.loginLink());
    await appears(page.getByRole('heading', { name: 'Swarm' }));
  });
  afterAll(async () => {
    await browser?.close();
    await hive?.stop();
  });

  it("shows the queues in Bull Board with the page's session, within its policy", async () => {
    watched.complaints.length = 0;
    await page.goto(`${hive.dashboardUrl}/queues`);
    expect(await appears(page.getByText('maintenance').first())).toBe(true);
    expect(watched.complaints).toEqual([]);
    expect(watched.requests.every((request) => !request.includes('fonts'))).toBe(true);
  });

  it('tries the API out in its browser, with the same session', async () => {
    watched.complaints.length = 0;
    await page.goto(`${hive.dashboardUrl}/api/docs`);
    await page
      .getByRole('button', { name: /get \/api\/operations/i })
      .first()
      .click();
    await page.getByRole('button', { name: 'Try it out' }).click();
    await page.getByRole('button', { name: 'Execute' }).click();
    expect(
      await appears(page.locator('.live-responses-table .response-col_status', { hasText: '200' })),
    ).toBe(true);
    expect(watched.complaints).toEqual([]);
  });

  it('opens the page also by a link on another site, which makes the browser hold the cookie back', async () => {
    const site = await foreignSite(hive.dashboardUrl);
    try {
      const { port } = site.address() as AddressInfo;
      // Another host name is another site to the browser; both are this machine.
      await page.goto(`http://localhost:${port}/`);
      await page.getByRole('link', { name: 'the hive' }).click();
      expect(await appears(page.getByRole('heading', { name: 'Swarm' }))).toBe(true);
    } finally {
      site.closeAllConnections();
      site.close();
    }
  });

  it('takes a login link that was followed from another site', async () => {
    const site = await foreignSite(await hive.loginLink());
    const newcomer = await browser.newContext({ viewport: WIDE });
    try {
      const { port } = site.address() as AddressInfo;
      const tab = await watchedPage(newcomer);
      await tab.page.goto(`http://localhost:${port}/`);
      await tab.page.getByRole('link', { name: 'the hive' }).click();
      expect(await appears(tab.page.getByRole('heading', { name: 'Swarm' }))).toBe(true);
    } finally {
      await newcomer.close();
      site.closeAllConnections();
      site.close();
    }
  });

  it('ends at the login page when there is no session, by such a link too', async () => {
    const site = await foreignSite(hive.dashboardUrl);
    const stranger = await browser.newContext({ viewport: WIDE });
    try {
      const { port } = site.address() as AddressInfo;
      const tab = await watchedPage(stranger);
      await tab.page.goto(`http://localhost:${port}/`);
      await tab.page.getByRole('link', { name: 'the hive' }).click();
      expect(await appears(tab.page.getByRole('heading', { name: 'Log in to this hive' }))).toBe(
        true,
      );
      const loads = tab.watched.requests.filter((request) => request === 'GET /');
      // The foreign page, the hive, and once more with the cookie that is not there.
      expect(loads).toHaveLength(3);
    } finally {
      await stranger.close();
      site.closeAllConnections();
      site.close();
    }
  });

  it('answers nothing to a page of another port of this machine', async () => {
    const site = await foreignSite(hive.dashboardUrl);
    try {
      const { port } = site.address() as AddressInfo;
      await page.goto(`http://127.0.0.1:${port}/`);
      const outcomes = await page.evaluate(async (url) => {
        const tried = async (path: string, init: RequestInit) => {
          try {
            const answer = await fetch(url + path, { credentials: 'include', ...init });
            return `${path}: ${answer.status}`;
          } catch {
            return `${path}: refused`;
          }
        };
        const socket = await new Promise<string>((resolve) => {
          const one = new WebSocket(`${url.replace('http', 'ws')}/events?after=0-0`);
          one.onopen = () => resolve('socket: open');
          one.onerror = () => resolve('socket: refused');
        });
        const body = JSON.stringify({ to: 'operator', body: 'x' });
        return [
          await tried('/api/state', {}),
          await tried('/api/messages', { method: 'POST', body }),
          socket,
        ];
      }, hive.dashboardUrl);
      expect(outcomes).toEqual([
        '/api/state: refused',
        '/api/messages: refused',
        'socket: refused',
      ]);
    } finally {
      site.closeAllConnections();
      site.close();
    }
  });
});

/** A page of somebody else with a link to the hive. */
async function foreignSite(target: string): Promise<Server> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><title>elsewhere</title><a href="${target}">the hive</a>`);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}
