import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { BrokerDashboardApi, DashboardAnswers, SendResult } from '#libs/protocol';

import { verifies } from '../requirements/verifies.js';
import {
  appears,
  countOf,
  launchBrowser,
  PHONE,
  watchedPage,
  WIDE,
  type Watched,
} from '../support/browser.js';
import type { RunningHive } from '../support/hive.js';
import { McpAgent } from '../support/mcp-agent.js';
import { DEAD_BECAUSE, FAILED_BECAUSE, PendingHive } from '../support/pending-hive.js';

const PATIENCE = { timeout: 60_000, interval: 100 };

async function gone(item: Locator): Promise<void> {
  await expect.poll(() => item.count(), PATIENCE).toBe(0);
}

describe(
  verifies('7.1', '7.4', '7.6', '1.2', '1.15', '2.4', '3.5') + "what is open on an agent's page",
  () => {
    let pending: PendingHive;
    let hive: RunningHive;
    let browser: Browser;
    let page: Page;
    let watched: Watched;
    let scout: McpAgent;

    beforeAll(async () => {
      pending = await PendingHive.start(['worker', 'helper']);
      ({ hive } = pending);
      scout = await McpAgent.join(hive, 'scout');
      browser = await launchBrowser();
      const context = await browser.newContext({ viewport: WIDE, reducedMotion: 'reduce' });
      ({ page, watched } = await watchedPage(context));
      await page.goto(await hive.loginLink());
      await open('scout');
    });
    afterAll(async () => {
      await browser?.close();
      await scout?.close();
      await pending?.stop();
    });

    /** Goes to what is open for an agent. */
    const open = async (name: string): Promise<void> => {
      const agent = page.locator('.rail').getByRole('link', { name: new RegExp(`^${name}`) });
      await agent.click();
      await page.getByRole('tab', { name: 'Open' }).click();
    };
    const part = (name: string): Locator => page.getByRole('region', { name });

    it('is nothing at first, and says so', async () => {
      expect(await appears(part('Open threads').getByText('has no open question'))).toBe(true);
      expect(await appears(part('Reminders').getByText('has set no reminder'))).toBe(true);
      expect(await appears(part('Dead deliveries').getByText('could be delivered'))).toBe(true);
    });

    it('shows a message when it is sent, and lets it go when it is acked', async () => {
      const { id } = await hive.api<SendResult>('POST', '/api/messages', {
        to: 'scout',
        body: 'Look behind the hill.',
      });
      const item = page.locator(`[data-open="${id}"]`);
      expect(await appears(item.getByText('Look behind the hill.'))).toBe(true);
      expect(await appears(item.getByText('not read yet'))).toBe(true);
      await scout.call('recv');
      expect(await appears(item.getByText('in a turn'))).toBe(true);
      await scout.call('ack', { ids: [id] });
      await gone(item);
    });

    it('shows a question when it is asked, and lets it go when it is answered', async () => {
      const { id } = await scout.call<{ id: string }>('ask', {
        question: 'Left or right?',
        options: ['left', 'right'],
      });
      const item = part('Open threads').locator(`[data-question="${id}"]`);
      expect(await appears(item.getByText('Left or right?'))).toBe(true);
      await hive.api('POST', `/api/questions/${id}/answer`, { answer: 'left' });
      await gone(item);
    });

    it('lets the operator answer where the question stands', async () => {
      const { id } = await scout.call<{ id: string }>('ask', {
        question: 'Up or down?',
        options: ['up', 'down'],
      });
      const item = part('Open threads').locator(`[data-question="${id}"]`);
      await item.getByText('down', { exact: true }).click();
      await item.getByRole('button', { name: /^Answer/ }).click();
      await gone(item);
      const { messages } = await scout.call<{ messages: { body: string }[] }>('recv_batch', {
        max: 8,
      });
      expect(messages.map(({ body }) => body)).toContain('down');
    });

    it('shows a reminder when it is set, and cancels it after asking once', async () => {
      const { id } = await scout.call<{ id: string }>('remind', {
        message: 'Look again.',
        delay_seconds: 3600,
      });
      const item = part('Reminders').locator(`[data-reminder="${id}"]`);
      expect(await appears(item.getByText('Look again.'))).toBe(true);
      expect(await appears(item.locator('.reminder-due').getByText(/^in \d/))).toBe(true);
      await page.getByRole('button', { name: `Cancel reminder ${id} of scout` }).click();
      await page.getByRole('button', { name: 'Keep' }).click();
      expect(await item.count()).toBe(1);
      await page.getByRole('button', { name: `Cancel reminder ${id} of scout` }).click();
      await page.getByRole('button', { name: 'Cancel the reminder', exact: true }).click();
      await gone(item);
      const { reminders } = await hive.api<BrokerDashboardApi['reminders'][1]>(
        'GET',
        '/api/agents/scout/reminders',
      );
      expect(reminders).toMatchObject([{ id, state: 'cancelled' }]);
    });

    it('wakes the agent from outside, and says what is wrong at the field', async () => {
      await page.getByRole('button', { name: 'Wake scout from outside' }).click();
      const label = page.getByLabel('Who it is from');
      const submit = page.getByRole('button', { name: 'Wake scout', exact: true });
      await label.fill('C I');
      await submit.click();
      expect(await appears(page.getByText('A label has 1 to 32'))).toBe(true);
      expect(await appears(page.getByText('Write what the agent is to be told.'))).toBe(true);
      expect(countOf(watched, 'POST /api/agents/scout/wake')).toBe(0);
      await label.fill('ci');
      await page.getByLabel('What it says').fill('The build is green.');
      await submit.click();
      await gone(page.getByRole('dialog'));
      const item = part('Open threads').locator('.open-item', { hasText: 'The build is green.' });
      expect(await appears(item.getByText('external:ci'))).toBe(true);
      const { messages } = await hive.api<DashboardAnswers['messages']>(
        'GET',
        '/api/agents/scout/inbox',
      );
      expect(messages[0]).toMatchObject({ from: 'external:ci', from_kind: 'external' });
    });

    it('shows what could not be delivered with its reason, and tries it again', async () => {
      await open('helper');
      const items = part('Dead deliveries').locator('.open-item');
      await expect.poll(() => items.count(), PATIENCE).toBe(2);
      const item = items.filter({ hasText: 'And the documentation' });
      expect(await appears(item.getByText(DEAD_BECAUSE))).toBe(true);
      await item.getByRole('button', { name: /^Try again/ }).click();
      await gone(item);
      expect(await items.count()).toBe(1);
      expect(await appears(part('Open threads').getByText('And the documentation'))).toBe(true);
    });

    it('shows failed reminders first, with their error, and tries one again', async () => {
      await open('worker');
      const items = part('Reminders').locator('[data-reminder]');
      await expect.poll(() => items.count(), PATIENCE).toBe(4);
      expect(await appears(items.first().getByText(FAILED_BECAUSE))).toBe(true);
      const failed = items.filter({ hasText: 'Ask about the licence.' });
      await failed.getByRole('button', { name: /^Try again/ }).click();
      // It is due now, so that it is a message at once.
      await gone(failed);
      expect(await appears(part('Open threads').getByText('Ask about the licence.'))).toBe(true);
    });

    it('leaves the field to write in inside the window while a reminder has failed', async () => {
      expect(await appears(page.getByRole('complementary', { name: 'Failed reminders' }))).toBe(
        true,
      );
      for (const [viewport, place] of [
        [PHONE, 'terminal'],
        [WIDE, 'terminal'],
        [WIDE, 'conversations'],
        [PHONE, 'conversations'],
      ] as const) {
        await page.setViewportSize(viewport);
        if (place === 'terminal') await page.getByRole('tab', { name: 'Terminal' }).click();
        else await page.getByRole('link', { name: 'Conversations' }).first().click();
        const write = page.getByRole('link', { name: 'Write' });
        if (place === 'conversations') await write.click();
        const box = await page.locator('.composer').boundingBox();
        expect(box).not.toBeNull();
        const end = (box?.y ?? 0) + (box?.height ?? 0);
        // At the end of the window, above the sections of a phone: neither out of it nor in its middle.
        expect(end).toBeLessThanOrEqual(viewport.height);
        expect(end).toBeGreaterThan(viewport.height - 100);
      }
      await page.setViewportSize(WIDE);
    });

    it('has asked for /api/state exactly once in all of this, and the console is silent', () => {
      expect(countOf(watched, 'GET /api/state')).toBe(1);
      expect(watched.complaints).toEqual([]);
    });

    it('reads nothing while nothing happens', async () => {
      await open('scout');
      expect(await appears(part('Open threads').getByText('The build is green.'))).toBe(true);
      await page.waitForLoadState('networkidle');
      const before = watched.requests.length;
      // The page has no clock of its own to be moved on: what would be asked for comes within this time.
      await page.waitForTimeout(3000);
      const asked = watched.requests.slice(before).filter((each) => each.includes('scout'));
      expect(asked).toEqual([]);
    });
  },
);
