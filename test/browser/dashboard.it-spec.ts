import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { verifies } from '../requirements/verifies.js';
import {
  appears,
  countOf,
  launchBrowser,
  watchedPage,
  WIDE,
  type Watched,
} from '../support/browser.js';
import { startHive, type RunningHive } from '../support/hive.js';

const STATE = 'GET /api/state';
/** Agents answer within seconds; a busy machine gets longer, in milliseconds. */
const PATIENCE = { timeout: 60_000, interval: 200 };

/** The sign of the live connection in the rail. */
function live(page: Page): Locator {
  return page.locator('.rail .live').getByText('live', { exact: true });
}

describe(
  verifies('7.1', '7.3', '7.4', '7.6', '8.4', 'P30', 'P38') + 'the page of a real hive',
  () => {
    let hive: RunningHive;
    let browser: Browser;
    let context: BrowserContext;
    let page: Page;
    let watched: Watched;

    beforeAll(async () => {
      hive = await startHive({ demo: true });
      browser = await launchBrowser();
      context = await browser.newContext({ viewport: WIDE, reducedMotion: 'reduce' });
      ({ page, watched } = await watchedPage(context));
    });
    afterAll(async () => {
      await browser?.close();
      await hive?.stop();
    });

    it('opens by the one-time link, and keeps its secret out of the address', async () => {
      await page.goto(await hive.loginLink());
      expect(await appears(page.getByRole('heading', { name: 'Swarm' }))).toBe(true);
      expect(new URL(page.url()).hash).toBe('');
      expect(await page.evaluate(() => localStorage.getItem('hive.session'))).toBeTruthy();
      expect(await appears(live(page))).toBe(true);
    });

    it('shows the agents of the demo', async () => {
      await expect.poll(() => page.locator('.agents > li').count(), PATIENCE).toBeGreaterThan(2);
      expect(await appears(page.locator('[data-agent="manager"]').first())).toBe(true);
    });

    it('draws a conversation as it goes on', async () => {
      await page.getByRole('link', { name: 'Conversations' }).first().click();
      const messages = page.locator('.flow .message');
      await expect.poll(() => messages.count(), PATIENCE).toBeGreaterThan(0);
      const before = await messages.count();
      // Somebody else writes, and the page is not touched: the message and its answer come by themselves.
      await hive.api('POST', '/api/messages', { to: 'manager', body: 'Who is there?' });
      await expect.poll(() => messages.count(), PATIENCE).toBeGreaterThan(before + 1);
      const senders = await page.locator('.flow .message-way').allInnerTexts();
      expect(new Set(senders.map((way) => way.split('→')[0]?.trim())).size).toBeGreaterThan(1);
    });

    it('sends a message with completion by keyboard, and shows the reply', async () => {
      const field = page.getByRole('textbox');
      await field.click();
      await page.keyboard.type('@mana');
      expect(await appears(page.locator('.choices').getByRole('option', { name: /manager/ }))).toBe(
        true,
      );
      await page.keyboard.press('Tab');
      await page.keyboard.type('How far are you? <img src=x onerror="document.title=1">');
      await page.keyboard.press('Enter');

      await page.waitForURL(/\/conversations\/m\d+$/);
      const mine = page.locator('.message.mine').first();
      expect(await appears(mine.getByText('How far are you?'))).toBe(true);
      await expect
        .poll(() => page.locator('.thread .message:not(.mine)').count(), PATIENCE)
        .toBeGreaterThan(0);
      expect(await appears(mine.locator('.delivery.acked'))).toBe(true);
      // What was written stands there as text.
      expect(await page.locator('.message-body img').count()).toBe(0);
      expect(await mine.locator('.message-body').innerText()).toContain('<img src=x');
    });

    it('marks the reply as read, and settles from the event', async () => {
      const button = page.getByRole('button', { name: /^Mark message m\d+ as read$/ }).first();
      const label = await button.getAttribute('aria-label');
      await button.click();
      await expect
        .poll(() => page.getByRole('button', { name: label ?? '' }).count(), PATIENCE)
        .toBe(0);
    });

    it('says in words what is too long, and counts bytes', async () => {
      const field = page.getByRole('textbox');
      await field.fill('ä'.repeat(2049));
      expect(await appears(page.getByText('4098 / 4096'))).toBe(true);
      expect(await appears(page.getByText('This is 4098 bytes, and 4096 is the limit.'))).toBe(
        true,
      );
      expect(await page.getByRole('button', { name: 'Send' }).getAttribute('aria-disabled')).toBe(
        'true',
      );
      await field.fill('');
    });

    it('restarts an agent: progress on the button, then the state from the events', async () => {
      await page.getByRole('link', { name: 'Swarm' }).first().click();
      const row = page.locator('.agents > li').nth(1);
      const name = (await row.getAttribute('data-agent')) ?? '';
      const restart = page.getByRole('button', { name: `Restart ${name}` });
      await restart.click();
      await expect.poll(() => restart.getAttribute('aria-busy')).toBe('true');
      await expect
        .poll(
          async () =>
            (await restart.count()) > 0 && (await restart.getAttribute('aria-busy')) === null,
          PATIENCE,
        )
        .toBe(true);
      await expect
        .poll(() => row.locator('.mood').innerText(), PATIENCE)
        .toMatch(/idle|waiting|turn/);

      await page.getByRole('link', { name: 'Operations' }).first().click();
      const newest = page.locator('.operation').first();
      expect(await appears(newest.getByText('restart'))).toBe(true);
      expect(await appears(newest.getByText(name))).toBe(true);
      expect(await appears(newest.getByText('done'))).toBe(true);
    });

    it('shows a turn in the terminal, and its row with what it cost', async () => {
      await page
        .getByRole('link', { name: /^manager/ })
        .first()
        .click();
      expect(await appears(page.locator('.turn-end.good').first())).toBe(true);
      // The page understands the wake prompt as the harness really writes it.
      expect(await appears(page.locator('.prompt-from').first())).toBe(true);
      await page.getByRole('tab', { name: 'Turns' }).click();
      expect(await appears(page.locator('.turn-line').first())).toBe(true);
      await page
        .getByRole('button', { name: /^Details of turn/ })
        .first()
        .click();
      expect(await appears(page.getByText('output tokens'))).toBe(true);
      await page.getByRole('tab', { name: 'Config' }).click();
      expect(
        await appears(page.getByLabel('agent.yaml', { exact: true }).getByText('role: manager')),
      ).toBe(true);
      await page.getByRole('tab', { name: 'Journal' }).click();
      expect(await appears(page.getByRole('heading', { name: 'Journal' }))).toBe(true);
      await page.getByRole('tab', { name: 'Stats' }).click();
      expect(await appears(page.getByRole('heading', { name: 'Tokens' }))).toBe(true);
    });

    it('refuses a wrong spawn at the field that is wrong, and spawns with what is right', async () => {
      await page.getByRole('link', { name: 'Swarm' }).first().click();
      await page.getByRole('button', { name: 'Spawn agent' }).click();
      const name = page.getByLabel('Name', { exact: true });
      const spawn = page.getByRole('button', { name: 'Spawn', exact: true });
      await name.fill('manager');
      await spawn.click();
      expect(await appears(page.getByRole('alert').getByText('is reserved'))).toBe(true);
      await name.fill('guest');
      await page.getByLabel('external').check();
      await spawn.click();
      await page.waitForURL(/\/agents\/guest$/, { timeout: PATIENCE.timeout });
      expect(await appears(page.getByRole('heading', { name: 'guest' }))).toBe(true);
    });

    it('destroys an agent only after asking once', async () => {
      await page.getByRole('button', { name: 'More for guest' }).click();
      await page.getByRole('menuitem', { name: 'Destroy…' }).click();
      await page.getByRole('button', { name: 'Destroy guest' }).click();
      expect(await appears(page.getByText('There is no agent called guest'))).toBe(true);
    });

    it(verifies('P17') + 'cancels a running turn by slash, and lets its agent go on', async () => {
      await hive.api('POST', '/api/agents?wait=1', {
        name: 'sleeper',
        config: { driver: 'command', command: ['sleep', '300'] },
      });
      await page
        .locator('.rail')
        .getByRole('link', { name: /^sleeper/ })
        .click();
      const field = page.getByRole('textbox');
      await field.fill('Take your time.');
      await field.press('Enter');
      expect(await appears(page.locator('.live-turn'))).toBe(true);

      await field.fill('/cancel');
      await field.press('Escape');
      await field.press('Enter');
      expect(await appears(page.getByText('the turn is cancelled'))).toBe(true);
      expect(await appears(page.locator('.turn-end.stopped'))).toBe(true);
      expect(await appears(page.locator('.waits-why', { hasText: 'held' }))).toBe(true);

      await page.getByRole('button', { name: 'Go on' }).click();
      expect(await appears(page.locator('.live-turn'))).toBe(true);
      expect(await appears(page.locator('.live-turn').getByText('redelivered'))).toBe(true);
    });

    it('has asked for /api/state exactly once in all of this, and the console is silent', () => {
      expect(countOf(watched, STATE)).toBe(1);
      expect(watched.complaints).toEqual([]);
    });

    it('resumes where it was when the dashboard is killed, without /api/state', async () => {
      await page.getByRole('link', { name: 'Conversations' }).first().click();
      const messages = page.locator('.flow .message');
      await expect.poll(() => messages.count(), PATIENCE).toBeGreaterThan(0);
      process.kill(hive.servicePid('dashboard'), 'SIGKILL');
      await expect.poll(() => live(page).count(), PATIENCE).toBe(0);
      await expect.poll(() => live(page).count(), PATIENCE).toBeGreaterThan(0);

      await page.getByRole('textbox').fill('@manager Are you still there?');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/conversations\/m\d+$/, { timeout: PATIENCE.timeout });
      await expect
        .poll(() => page.locator('.thread .message:not(.mine)').count(), PATIENCE)
        .toBeGreaterThan(0);
      expect(countOf(watched, STATE)).toBe(1);
    });

    it('logs out, and the old secret opens nothing any more', async () => {
      const secret = await page.evaluate(() => localStorage.getItem('hive.session'));
      await page.locator('.rail').getByRole('button', { name: 'More of the hive' }).click();
      await page.getByRole('menuitem', { name: 'Log out' }).click();
      expect(await appears(page.getByRole('heading', { name: 'Log in to the hive' }))).toBe(true);
      const status = await page.evaluate(
        async (old) =>
          (await fetch('/api/state', { headers: { 'x-hive-session': old ?? '' } })).status,
        secret,
      );
      expect(status).toBe(401);
    });

    it('says how to log in when its second secret is gone', async () => {
      await page.goto(await hive.loginLink());
      expect(await appears(page.getByRole('heading', { name: 'Swarm' }))).toBe(true);
      await page.evaluate(() => localStorage.clear());
      await page.reload();
      expect(await appears(page.getByRole('heading', { name: 'Log in to the hive' }))).toBe(true);
      expect(await appears(page.getByText('npm run hive -- login-link'))).toBe(true);
    });
  },
);
