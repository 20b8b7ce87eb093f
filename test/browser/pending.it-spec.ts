import { mkdirSync } from 'node:fs';
import path from 'node:path';

import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { DashboardAnswers, Message } from '#libs/protocol';

import { verifies } from '../requirements/verifies.js';
import { excessWidth, violations } from '../support/axe.js';
import {
  appears,
  countOf,
  launchBrowser,
  PHONE,
  watchedPage,
  WIDE,
  type Watched,
} from '../support/browser.js';
import { DEAD_BECAUSE, FAILED_BECAUSE, PendingHive } from '../support/pending-hive.js';

const SCREENSHOTS = path.resolve(import.meta.dirname, '../screenshots');
const PATIENCE = { timeout: 60_000, interval: 200 };

const MODES = [
  { name: 'dark-wide', colorScheme: 'dark', viewport: WIDE, phone: false },
  { name: 'light-wide', colorScheme: 'light', viewport: WIDE, phone: false },
  { name: 'dark-phone', colorScheme: 'dark', viewport: PHONE, phone: true },
  { name: 'light-phone', colorScheme: 'light', viewport: PHONE, phone: true },
] as const;

let seeded: PendingHive;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let watched: Watched;

beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  seeded = await PendingHive.start(['scout', 'miner']);
  const scout = seeded.of('scout');
  await scout.ask({
    question: 'The release notes name nobody. Whom shall I thank for the new parser?',
    options: ['Nobody', 'Everyone who sent a patch', 'Only the maintainers'],
    ttl_seconds: 5000,
  });
  await scout.ask({
    question: 'Which platforms does 1.4 support?',
    options: ['Linux', 'macOS', 'Windows'],
    multi: true,
  });
  await scout.ask({ question: 'May I delete the old mirror?' });
  await scout.ask({
    question: 'Is the build green?',
    options: ['yes', 'no'],
    to: 'miner',
    ttl_seconds: 20_000,
  });
  browser = await launchBrowser();
  context = await browser.newContext({ viewport: WIDE, reducedMotion: 'reduce' });
  ({ page, watched } = await watchedPage(context));
  await page.goto(await seeded.hive.loginLink());
  await page.locator('.agents > li').first().waitFor();
});
afterAll(async () => {
  await browser?.close();
  await seeded?.stop();
});

function need(kind: string): Locator {
  return page.locator(`.needs [data-need^="${kind}:"]`);
}
/** An open question with this text, on the page of questions. */
function asked(text: string): Locator {
  return page.locator('.question:not(.resolved)', { hasText: text });
}
async function go(section: string): Promise<void> {
  await page
    .locator('.rail')
    .getByRole('link', { name: new RegExp(`^${section}`) })
    .click();
}
/** What the agent gets next, once it is there. */
async function next(agent: string, wanted: (message: Message) => boolean): Promise<Message> {
  let found: Message | undefined;
  await expect
    .poll(async () => {
      found ??= (await seeded.of(agent).drain()).find(wanted);
      return found !== undefined;
    }, PATIENCE)
    .toBe(true);
  if (!found) throw new Error('it did not come');
  return found;
}

describe(verifies('7.2', '7.3', '3.7') + 'what waits for the operator', () => {
  it('stands first on the page, each thing once', async () => {
    await expect.poll(() => need('question').count(), PATIENCE).toBe(3);
    expect(await need('dead_delivery').count()).toBe(2);
    expect(await need('reminder_failed').count()).toBe(2);
    expect(await page.locator('.needs li').count()).toBe(7);
    expect(await page.locator('.needs .panel-head .count').innerText()).toBe('7');
    expect(await need('dead_delivery').first().innerText()).toContain(DEAD_BECAUSE);
  });

  it('is counted on the row of each agent', async () => {
    const chips = page.locator('[data-agent="scout"] .agent-chips');
    expect((await chips.locator('li').allInnerTexts()).map((text) => text.trim())).toEqual([
      '4 questions',
      '2 reminders',
      '2 reminders failed',
    ]);
    const miner = page.locator('[data-agent="miner"] .agent-chips');
    expect((await miner.locator('li').allInnerTexts()).map((text) => text.trim())).toEqual([
      '1 question',
      '2 undelivered',
    ]);
    await miner.getByRole('link', { name: '1 question' }).click();
    await page.waitForURL(/\/questions\?agent=miner$/);
    expect(await page.locator('.question').count()).toBe(1);
    await page.getByRole('link', { name: 'Only miner. Show all agents' }).click();
    await expect.poll(() => page.locator('.question').count(), PATIENCE).toBe(4);
  });

  for (const mode of MODES) {
    it(verifies('7.5') + `${mode.name}: every view is accessible and fits`, async () => {
      const own = await browser.newContext({
        viewport: mode.viewport,
        colorScheme: mode.colorScheme,
        reducedMotion: 'reduce',
        isMobile: mode.phone,
        hasTouch: mode.phone,
      });
      const tab = await watchedPage(own);
      await tab.page.goto(await seeded.hive.loginLink());
      await tab.page.locator('.agents > li').first().waitFor();
      const found: string[] = [];
      const look = async (name: string): Promise<void> => {
        const file = path.join(SCREENSHOTS, `pending-${name}-${mode.name}.png`);
        await tab.page.screenshot({ path: file, fullPage: true });
        found.push(...(await violations(tab.page)).map((what) => `${name}: ${what}`));
        const wider = await excessWidth(tab.page);
        if (wider > 0) found.push(`${name}: ${wider} px wider than its window`);
      };
      const answer = tab.page.getByRole('button', { name: /^Answer scout, question/ });
      await answer.first().click();
      await tab.page.locator('.needs .answer').waitFor();
      await look('needs');
      for (const [view, shows] of [
        ['questions', '.question'],
        ['reminders', '.reminder'],
        ['undelivered', '.dead-body'],
      ] as const) {
        await tab.page.goto(new URL(`/${view}`, seeded.hive.dashboardUrl).href);
        await tab.page.locator(shows).first().waitFor();
        if (view === 'questions') {
          await tab.page.getByRole('button', { name: /^Answer for miner/ }).click();
          await tab.page.getByLabel('Something else').first().check();
        }
        await look(view);
      }
      await own.close();
      expect(found).toEqual([]);
      expect(tab.watched.complaints).toEqual([]);
    });
  }
});

describe(verifies('2.1', '2.2', '7.3', '7.6') + 'a question', () => {
  it('is answered with an option, and its asker gets it', async () => {
    await go('Questions');
    const item = asked('Whom shall I thank');
    expect(await item.locator('.countdown').innerText()).toMatch(/expires in\s+1:\d\d:\d\d/);
    const send = item.getByRole('button', { name: 'Answer' });
    await send.click();
    expect(await appears(item.getByText('Choose an option or write an answer.'))).toBe(true);
    await item.getByLabel('Everyone who sent a patch').check();
    await send.click();
    await expect.poll(() => item.count(), PATIENCE).toBe(0);
    const answer = await next('scout', ({ event }) => event === 'question_answered');
    expect(answer).toMatchObject({
      from_kind: 'operator',
      body: 'Everyone who sent a patch',
      question: { state: 'answered' },
    });
    const closed = page.locator('.question.resolved', { hasText: 'Whom shall I thank' });
    expect(await closed.innerText()).toMatch(/answered[\s\S]*you: Everyone who sent a patch/);
    // Its answer has a conversation now.
    await appears(closed);
  });

  it('takes several options and words beside them', async () => {
    const item = asked('Which platforms');
    await item.getByLabel('Windows').check();
    await item.getByLabel('Linux').check();
    await item.getByLabel('In your own words').fill('and BSD on <b>good</b> days');
    await item.getByLabel('In your own words').press('Control+Enter');
    await expect.poll(() => item.count(), PATIENCE).toBe(0);
    const answer = await next('scout', ({ event }) => event === 'question_answered');
    expect(answer.body).toBe('Linux, Windows, and BSD on <b>good</b> days');
  });

  it('is answered by keyboard where it waits, and what was begun is kept', async () => {
    await go('Swarm');
    const item = need('question');
    await item.getByRole('button', { name: /^Answer scout/ }).click();
    await item.getByRole('textbox', { name: 'Your answer' }).fill('No, keep it');
    await go('Questions');
    const field = asked('delete the old mirror').getByRole('textbox', { name: 'Your answer' });
    expect(await field.inputValue()).toBe('No, keep it');
    await go('Swarm');
    await item.getByRole('button', { name: /^Answer scout/ }).focus();
    await page.keyboard.press('Enter');
    await item.getByRole('textbox', { name: 'Your answer' }).focus();
    await page.keyboard.press('End');
    await page.keyboard.type(' for a month.');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect.poll(() => need('question').count(), PATIENCE).toBe(0);
    expect(await appears(page.getByRole('status').getByText('Your answer went to scout.'))).toBe(
      true,
    );
    // The focus is not lost with the form that went.
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
    const answer = await next('scout', ({ event }) => event === 'question_answered');
    expect(answer.body).toBe('No, keep it for a month.');
  });

  it('to a peer is answered by the operator instead, with words of their own', async () => {
    await go('Questions');
    const item = asked('Is the build green?');
    expect(await item.getByRole('form').count()).toBe(0);
    await item.getByRole('button', { name: /^Answer for miner, question/ }).click();
    expect(await appears(item.getByText('miner was asked. Your answer goes to scout'))).toBe(true);
    await item.getByLabel('Something else').check();
    await item.getByLabel('In your own words').fill('Ask again tomorrow');
    await item.getByRole('button', { name: 'Answer for miner', exact: true }).click();
    await expect.poll(() => item.count(), PATIENCE).toBe(0);
    const answer = await next('scout', ({ event }) => event === 'question_answered');
    expect(answer).toMatchObject({ from_kind: 'operator', body: 'Ask again tomorrow' });
  });

  it('appears when it is asked, and is cancelled only after asking once', async () => {
    await seeded.of('scout').ask({ question: 'Shall I wait?', to: 'miner' });
    const item = asked('Shall I wait?');
    expect(await appears(item)).toBe(true);
    expect(await appears(item.getByRole('link', { name: /^Conversation of question/ }))).toBe(true);
    await item.getByRole('button', { name: /^Cancel the question of scout/ }).click();
    await page.getByRole('button', { name: 'Keep', exact: true }).click();
    expect(await item.count()).toBe(1);
    await item.getByRole('button', { name: /^Cancel the question of scout/ }).click();
    await page.getByRole('button', { name: 'Cancel the question', exact: true }).click();
    await expect.poll(() => item.count(), PATIENCE).toBe(0);
    const outcome = await next('scout', ({ event }) => event === 'question_answered');
    expect(outcome).toMatchObject({ body: '[cancelled]', question: { state: 'cancelled' } });
    await next('miner', ({ event }) => event === 'question_cancelled');
  });

  it('expires in front of the reader', async () => {
    await seeded.of('scout').ask({ question: 'Quick, now?', ttl_seconds: 2 });
    expect(await appears(asked('Quick, now?').locator('.countdown'))).toBe(true);
    const closed = page.locator('.question.resolved', { hasText: 'Quick, now?' });
    expect(await appears(closed.getByText('expired'))).toBe(true);
    expect(await asked('Quick, now?').count()).toBe(0);
  });

  it('that was answered elsewhere meanwhile says so where it went', async () => {
    await seeded.of('scout').ask({ question: 'Race?' });
    const item = asked('Race?');
    await item.getByRole('textbox', { name: 'Your answer' }).fill('mine');
    const { questions } = await seeded.hive.api<DashboardAnswers['questions']>(
      'GET',
      '/api/questions?state=open',
    );
    const id = questions.find(({ question }) => question === 'Race?')?.id ?? '';
    await context.setOffline(true);
    await seeded.hive.api('POST', `/api/questions/${id}/answer`, { answer: 'theirs' });
    await context.setOffline(false);
    await expect.poll(() => item.count(), PATIENCE).toBe(0);
    const closed = page.locator('.question.resolved', { hasText: 'Race?' });
    expect(await closed.innerText()).toContain('you: theirs');
  });
});

describe(verifies('3.5', '3.7', '7.3', '7.6') + 'a reminder', () => {
  it('that failed has a banner on every page, which leads to why', async () => {
    await go('Operations');
    const banner = page.getByRole('complementary', { name: 'Failed reminders' });
    expect(await banner.innerText()).toContain('2 reminders of scout could not be delivered');
    await banner.getByRole('link', { name: 'See why' }).click();
    const failed = page.locator('.reminder.failed');
    await expect.poll(() => failed.count(), PATIENCE).toBe(2);
    expect(await failed.first().innerText()).toMatch(/5 attempts, the last \dm ago: SQLITE_FULL/);
    expect(await failed.first().innerText()).toContain(FAILED_BECAUSE);
    expect(await banner.count()).toBe(0);
  });

  it('list that cannot be read says so, and is read again', async () => {
    const lists = /\/api\/reminders\?/;
    await page.route(lists, (route) => route.abort());
    await go('Swarm');
    await go('Reminders');
    const scheduled = page.getByRole('region', { name: 'Scheduled' });
    const alert = scheduled.getByRole('alert').first();
    expect(await appears(alert.getByText('The hive does not answer'))).toBe(true);
    // What the events brought stands there all the same.
    expect(await page.locator('.reminder.failed').count()).toBe(2);
    await page.unroute(lists);
    await alert.getByRole('button', { name: 'Try again' }).click();
    expect(await appears(page.locator('.reminder.pending'))).toBe(true);
    // The browser itself complains of the aborted requests.
    watched.complaints = watched.complaints.filter((what) => !what.includes('ERR_FAILED'));
  });

  it('that cannot be tried again says why where the button is', async () => {
    const item = page.locator('.reminder.failed', { hasText: 'licence' });
    const retries = /\/api\/reminders\/r\d+\/retry$/;
    await page.route(retries, (route) =>
      route.fulfill({
        status: 409,
        json: { error: { code: 'conflict', message: 'the reminder is cancelled, not failed' } },
      }),
    );
    await item.getByRole('button', { name: /^Try again: reminder/ }).click();
    expect(await appears(item.getByRole('alert').getByText('is cancelled, not failed'))).toBe(true);
    await page.unroute(retries);
    await item.getByRole('button', { name: 'Dismiss' }).click();
    expect(await item.getByRole('alert').count()).toBe(0);
    watched.complaints = watched.complaints.filter((what) => !what.includes('409'));
  });

  it('that failed is tried again, and reaches its owner', async () => {
    const item = page.locator('.reminder.failed', { hasText: 'licence' });
    await item.getByRole('button', { name: /^Try again: reminder/ }).click();
    await expect.poll(() => item.count(), PATIENCE).toBe(0);
    const message = await next('scout', ({ kind }) => kind === 'reminder');
    expect(message.body).toContain('Ask about the licence.');
    await expect.poll(() => page.locator('.reminder.delivered').count(), PATIENCE).toBe(1);
  });

  it('is cancelled only after asking once', async () => {
    const item = page.locator('.reminder.pending', { hasText: 'Compact the notes' });
    expect(await item.innerText()).toContain('every hour');
    await item.getByRole('button', { name: /^Cancel reminder/ }).click();
    await page.getByRole('button', { name: 'Cancel the reminder', exact: true }).click();
    await expect.poll(() => item.count(), PATIENCE).toBe(0);
    const left = await seeded.of('scout').reminders();
    expect(left.filter(({ message }) => message.startsWith('Compact'))).toEqual([]);
  });

  it('appears when it is set, and its chips count with it', async () => {
    await seeded.of('scout').remind({ message: 'Look at the sky.', delay_seconds: 500 });
    expect(await appears(page.locator('.reminder.pending', { hasText: 'the sky' }))).toBe(true);
    await go('Swarm');
    const chips = page.locator('[data-agent="scout"] .agent-chips');
    await expect
      .poll(async () => (await chips.innerText()).replaceAll(/\s+/g, ' '), PATIENCE)
      .toBe('2 reminders, 1 in 24 h 1 reminder failed');
    expect(await need('reminder_failed').count()).toBe(1);
  });
});

describe(verifies('1.2', '7.2', '7.3', '7.6') + 'a message that was given up', () => {
  it('is shown with its reason and its text', async () => {
    await go('Undelivered');
    const items = page.locator('.undelivered-item');
    expect(await items.count()).toBe(2);
    expect(await items.first().innerText()).toContain(DEAD_BECAUSE);
    expect(await appears(items.first().getByText('Please build'))).toBe(true);
    expect(await items.first().innerText()).toMatch(/scout → miner/);
  });

  it(
    verifies('7.5') + 'is found from the menu of a phone, whose bar has no room for it',
    async () => {
      const own = await browser.newContext({ viewport: PHONE, isMobile: true, hasTouch: true });
      const { page: phone } = await watchedPage(own);
      await phone.goto(await seeded.hive.loginLink());
      await phone.locator('.agents > li').first().waitFor();
      await phone.locator('.top').getByRole('button', { name: 'More of the hive' }).tap();
      await phone.getByRole('menuitem', { name: /^Undelivered/ }).tap();
      await phone.waitForURL(/\/undelivered$/);
      expect(await phone.locator('.undelivered-item').count()).toBe(2);
      await own.close();
    },
  );

  it('is tried again from there and from the list of what waits, and arrives', async () => {
    await page
      .locator('.undelivered-item', { hasText: 'documentation' })
      .getByRole('button', { name: /^Try again/ })
      .click();
    await expect.poll(() => page.locator('.undelivered-item').count(), PATIENCE).toBe(1);
    await go('Swarm');
    await need('dead_delivery')
      .getByRole('button', { name: /^Try again/ })
      .click();
    await expect.poll(() => need('dead_delivery').count(), PATIENCE).toBe(0);
    const bodies: string[] = [];
    await expect
      .poll(async () => {
        bodies.push(...(await seeded.of('miner').drain()).map(({ body }) => body));
        return bodies.some((body) => body.startsWith('Please build'));
      }, PATIENCE)
      .toBe(true);
    await expect.poll(() => page.locator('.needs li').count(), PATIENCE).toBe(1);
  });
});

describe(verifies('7.1') + 'the page that showed all of this', () => {
  it('has asked for /api/state once and for no list twice, and the console is silent', () => {
    expect(countOf(watched, 'GET /api/state')).toBe(1);
    expect(countOf(watched, 'GET /api/needs-you')).toBe(0);
    expect(watched.complaints).toEqual([]);
  });
});
