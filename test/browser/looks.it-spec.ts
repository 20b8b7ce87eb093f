import { mkdirSync } from 'node:fs';
import path from 'node:path';

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import type { DashboardAnswers } from '#libs/protocol';

import { verifies } from '../requirements/verifies.js';
import { excessWidth, violations } from '../support/axe.js';
import { appears, launchBrowser, PHONE, watchedPage, WIDE } from '../support/browser.js';
import { startHive, type RunningHive } from '../support/hive.js';

const SCREENSHOTS = path.resolve(import.meta.dirname, '../screenshots');
const PATIENCE = { timeout: 60_000, interval: 200 };
/** A view takes two seconds to be looked at; on a busy machine it gets longer, in milliseconds. */
const PER_VIEW_MS = 15_000;

interface View {
  name: string;
  path: string;
  /** What must stand there before it is looked at. */
  shows: string;
  /** What is done then, and what stands there afterwards. */
  after?: { act: (page: Page) => Promise<void>; shows: string };
}

const VIEWS: readonly View[] = [
  { name: 'swarm', path: '/', shows: '.agents > li' },
  { name: 'flow', path: '/conversations/new', shows: '.message' },
  {
    name: 'recipients',
    path: '/conversations/new',
    shows: '.message',
    after: {
      act: (page) => page.locator('.composer textarea').fill('@manager @guard @builder @forager @'),
      shows: '.choices',
    },
  },
  {
    name: 'search',
    path: '/conversations',
    shows: '.thread-item',
    after: {
      act: (page) => page.getByRole('searchbox').fill('re'),
      shows: '.search-hit mark',
    },
  },
  { name: 'terminal', path: '/agents/manager', shows: '.prompt-from' },
  { name: 'inbox', path: '/agents/manager/inbox', shows: '.message' },
  { name: 'open', path: '/agents/manager/open', shows: '.open-item, .open-none' },
  {
    name: 'wake',
    path: '/agents/manager/open',
    shows: '.open-none',
    after: {
      act: (page) => page.getByRole('button', { name: 'Wake manager from outside' }).click(),
      shows: '.wake',
    },
  },
  { name: 'turns', path: '/agents/manager/turns', shows: '.turn-line' },
  { name: 'stats', path: '/agents/manager/stats', shows: '.plot canvas' },
  { name: 'config', path: '/agents/manager/config', shows: '.code-key' },
  { name: 'journal', path: '/agents/manager/journal', shows: '.journal .code, .empty' },
  { name: 'questions', path: '/questions', shows: '.question, .empty' },
  { name: 'reminders', path: '/reminders', shows: '.reminder, .empty' },
  { name: 'undelivered', path: '/undelivered', shows: '.undelivered-item, .empty' },
  { name: 'operations', path: '/operations', shows: '.operation' },
];

const MODES = [
  { name: 'dark-wide', colorScheme: 'dark', viewport: WIDE, phone: false },
  { name: 'light-wide', colorScheme: 'light', viewport: WIDE, phone: false },
  { name: 'dark-phone', colorScheme: 'dark', viewport: PHONE, phone: true },
  { name: 'light-phone', colorScheme: 'light', viewport: PHONE, phone: true },
] as const;

describe(verifies('7.5') + 'how the page looks, in light and dark, wide and on a phone', () => {
  let hive: RunningHive;
  let browser: Browser;

  beforeAll(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    hive = await startHive({ demo: true });
    browser = await launchBrowser();
    // Something to look at: the swarm of the demo talks, and the manager has had a turn.
    await vi.waitFor(async () => {
      const { turns } = await hive.api<DashboardAnswers['turns']>(
        'GET',
        '/api/agents/manager/turns',
      );
      if (!turns.some((turn) => turn.result_kind === 'ok')) throw new Error('no turn has ended');
    }, PATIENCE);
  });
  afterAll(async () => {
    await browser?.close();
    await hive?.stop();
  });

  for (const mode of MODES) {
    it(
      `${mode.name}: every view is complete, accessible and as wide as its window`,
      async () => {
        const context = await browser.newContext({
          viewport: mode.viewport,
          colorScheme: mode.colorScheme,
          reducedMotion: 'reduce',
          isMobile: mode.phone,
          hasTouch: mode.phone,
        });
        const { page, watched } = await watchedPage(context);
        await page.goto(await hive.loginLink());
        await page.locator('.agents > li').first().waitFor();
        const found: string[] = [];
        for (const view of VIEWS) {
          await page.goto(new URL(view.path, hive.dashboardUrl).href);
          await page.locator(view.shows).first().waitFor({ timeout: PATIENCE.timeout });
          if (view.after) {
            await view.after.act(page);
            await page.locator(view.after.shows).first().waitFor({ timeout: PATIENCE.timeout });
          }
          await page.screenshot({ path: path.join(SCREENSHOTS, `${view.name}-${mode.name}.png`) });
          found.push(...(await violations(page)).map((what) => `${view.name}: ${what}`));
          const wider = await excessWidth(page);
          if (wider > 0) found.push(`${view.name}: ${wider} px wider than its window`);
        }
        await context.close();
        expect(found).toEqual([]);
        expect(watched.complaints).toEqual([]);
      },
      VIEWS.length * PER_VIEW_MS,
    );
  }

  it('can be used with the keyboard alone', async () => {
    const context = await browser.newContext({ viewport: WIDE, reducedMotion: 'reduce' });
    const { page } = await watchedPage(context);
    await page.goto(await hive.loginLink());
    await page.locator('.agents > li').first().waitFor();

    await page.keyboard.press('Tab');
    expect(await appears(page.locator('.skip:focus'))).toBe(true);

    await page.keyboard.press('Control+k');
    expect(await appears(page.getByRole('combobox').and(page.locator(':focus')))).toBe(true);
    await page.keyboard.type('manager');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/agents\/manager$/);

    await page.getByRole('tab', { name: 'Terminal' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(/\/agents\/manager\/inbox$/);
    await context.close();
  });
});
