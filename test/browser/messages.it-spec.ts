import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { DashboardAnswers, SendResult } from '#libs/protocol';

import { verifies } from '../requirements/verifies.js';
import { violations } from '../support/axe.js';
import {
  appears,
  countOf,
  launchBrowser,
  watchedPage,
  WIDE,
  type Watched,
} from '../support/browser.js';
import { startHive, type RunningHive } from '../support/hive.js';
import { McpAgent } from '../support/mcp-agent.js';

const STATE = 'GET /api/state';
const PATIENCE = { timeout: 60_000, interval: 100 };
/** More than a message tells one by one. */
const NAMES = ['digger', 'forager', 'guard', 'miner', 'scout', 'weaver'];

describe(
  verifies('7.1', '7.3', '7.6', '1.5', '1.6', '1.9', '1.12') +
    'messages to many, and the search, on the page of a real hive',
  () => {
    let hive: RunningHive;
    let browser: Browser;
    let page: Page;
    let watched: Watched;
    let scout: McpAgent;

    beforeAll(async () => {
      hive = await startHive();
      scout = await McpAgent.join(hive, 'scout');
      for (const name of NAMES.filter((each) => each !== 'scout')) {
        await hive.api('POST', '/api/agents?wait=1', { name, config: { driver: 'external' } });
      }
      browser = await launchBrowser();
      const context = await browser.newContext({ viewport: WIDE, reducedMotion: 'reduce' });
      ({ page, watched } = await watchedPage(context));
      await page.goto(await hive.loginLink());
      await page.locator('.agents > li').first().waitFor();
      await page.getByRole('link', { name: 'Conversations' }).first().click();
    });
    afterAll(async () => {
      await browser?.close();
      await scout?.close();
      await hive?.stop();
    });

    const field = (): Locator => page.locator('.composer textarea');
    const recipients = (): Promise<string[]> =>
      page.getByRole('list', { name: 'Recipients' }).locator('li .mono').allInnerTexts();
    const alert = (text: string): Promise<boolean> =>
      appears(page.getByRole('alert').getByText(text));
    /** Presses Enter once the completions are closed. */
    const send = async (): Promise<void> => {
      await field().press('Enter');
      await page.waitForURL(/\/conversations\/m\d+$/);
    };
    const begin = async (): Promise<void> => {
      await page.getByRole('link', { name: 'Write' }).click();
      await page.waitForURL(/\/conversations\/new$/);
    };

    it('says what is wrong with whom it is for', async () => {
      await field().fill('Hello?');
      await field().press('Enter');
      expect(await alert('Choose whom it is for')).toBe(true);
      await field().fill('@nobody Hello?');
      await field().press('Enter');
      expect(await alert('There is no agent called nobody')).toBe(true);
      await field().fill('');
      expect(await page.getByRole('alert').count()).toBe(0);
      expect(countOf(watched, 'POST /api/messages')).toBe(0);
    });

    it('sends to two agents by completion, and shows the message once', async () => {
      await field().click();
      await page.keyboard.type('@sc');
      await page.keyboard.press('Tab');
      await page.keyboard.type('@mi');
      await page.keyboard.press('Tab');
      expect(await recipients()).toEqual(['scout', 'miner']);
      await page.keyboard.type('@we');
      await page.keyboard.press('Tab');
      // Backspace in the empty field takes the last one out again.
      await page.keyboard.press('Backspace');
      expect(await recipients()).toEqual(['scout', 'miner']);
      await page.keyboard.type('Dig at the old oak.');
      await send();

      const mine = page.locator('.thread .message');
      expect(await appears(mine.getByText('Dig at the old oak.'))).toBe(true);
      await expect.poll(() => page.locator('.thread .message.sending').count()).toBe(0);
      expect(await mine.count()).toBe(1);
      expect(await mine.locator('.message-way').innerText()).toMatch(/you\s*→\s*scout, miner/);
      expect(await mine.locator('.delivery').count()).toBe(2);
      expect(await page.locator('.thread-item').count()).toBe(1);
      expect(await page.locator('.thread-title h2').innerText()).toBe('you · scout · miner');
      const { messages } = await hive.api<DashboardAnswers['messages']>('GET', '/api/messages');
      expect(messages.map(({ to }) => to)).toEqual(['scout, miner']);
    });

    it('takes names out and in by the menu', async () => {
      await begin();
      await page.getByRole('button', { name: 'Choose recipients' }).click();
      await page.getByRole('menuitemcheckbox', { name: /^guard/ }).click();
      await page.getByRole('menuitemcheckbox', { name: /^digger/ }).click();
      expect(await recipients()).toEqual(['guard', 'digger']);
      await page.getByRole('menuitemcheckbox', { name: /^everybody/ }).click();
      expect(await recipients()).toEqual(['everybody']);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Take out everybody' }).click();
      expect(await recipients()).toEqual([]);
    });

    it('sends to everybody, shows it once, and counts how it fares as it goes on', async () => {
      await field().fill('@* The zebra crossing is closed.');
      expect(await recipients()).toEqual(['everybody']);
      await send();
      const mine = page.locator('.thread .message');
      expect(await appears(mine.getByText('The zebra crossing is closed.'))).toBe(true);
      expect(await mine.count()).toBe(1);
      expect(await mine.locator('.message-way').innerText()).toMatch(/you\s*→\s*everybody/);
      const counts = mine.getByRole('button', { name: /^to 6/ });
      expect(await appears(counts.getByText('6 waiting'))).toBe(true);
      expect(await appears(mine.getByText('6 × not read yet'))).toBe(true);
      expect(await page.locator('.thread-item').count()).toBe(2);

      // A bare client takes one message of each kind of wake at a time; both reach scout.
      const { messages } = await scout.call<{ messages: { id: string }[] }>('recv_batch', {
        max: 8,
      });
      await scout.call('ack', { ids: messages.map(({ id }) => id) });
      expect(await appears(counts.getByText('1 read'))).toBe(true);
      expect(await appears(counts.getByText('5 waiting'))).toBe(true);
      await counts.click();
      expect(await mine.locator('.deliveries .delivery').count()).toBe(6);
      expect(await violations(page)).toEqual([]);
      expect(await appears(mine.locator('.deliveries .delivery.acked').getByText('scout'))).toBe(
        true,
      );
    });

    it('answers in a thread of many only to the one who spoke', async () => {
      const thread = new URL(page.url()).pathname.split('/').at(-1) ?? '';
      await scout.call('send', { to: 'operator', body: 'Which zebra?', in_reply_to: thread });
      expect(await appears(page.locator('.thread').getByText('Which zebra?'))).toBe(true);
      await expect.poll(recipients).toEqual(['scout']);
    });

    it('finds messages as their words are typed, and asks once for what was typed in one go', async () => {
      const box = page.getByRole('searchbox', { name: 'Search messages' });
      await box.fill('z');
      expect(await appears(page.getByText('Type one more letter.'))).toBe(true);
      await box.fill('?!');
      expect(await appears(page.getByText('Type a word'))).toBe(true);
      const before = watched.requests.length;
      await box.fill('');
      await box.pressSequentially('ZEBRA cross', { delay: 10 });
      const hits = page.locator('.search-hit');
      expect(await appears(page.getByRole('status').getByText('1 message'))).toBe(true);
      expect(await hits.count()).toBe(1);
      expect(await hits.locator('mark').allInnerTexts()).toEqual(['zebra', 'cross']);
      const asked = watched.requests.slice(before).filter((each) => each === 'GET /api/messages');
      expect(asked.length).toBeLessThanOrEqual(2);

      await box.fill('quagga');
      expect(await appears(page.getByText('Nothing found'))).toBe(true);
      expect(await violations(page)).toEqual([]);
      // What is said meanwhile joins by its event.
      await hive.api('POST', '/api/messages', { to: 'guard', body: 'A quagga, perhaps?' });
      await expect.poll(() => hits.count(), PATIENCE).toBe(1);
      expect(await appears(page.getByRole('status').getByText('1 message'))).toBe(true);
    });

    it('leads from a message that was found to its place in its conversation', async () => {
      const { id } = await hive.api<SendResult>('POST', '/api/messages', {
        to: 'weaver',
        body: 'The beginning of a long story, with an armadillo.',
      });
      let last = id;
      for (let n = 1; n <= 30; n += 1) {
        const sent = await hive.api<SendResult>('POST', '/api/messages', {
          to: 'weaver',
          body: `Chapter ${n}.`,
          in_reply_to: last,
        });
        last = sent.id;
      }
      const box = page.getByRole('searchbox', { name: 'Search messages' });
      await box.fill('armadillo');
      await page.locator('.search-hit', { hasText: 'armadillo' }).click();
      await page.waitForURL(new RegExp(`/conversations/${id}\\?at=${id}$`));
      const found = page.locator(`#${id}`);
      expect(await appears(found.and(page.locator('.found')))).toBe(true);
      await expect
        .poll(async () => {
          const place = await found.boundingBox();
          return place !== null && place.y > 0 && place.y < WIDE.height;
        }, PATIENCE)
        .toBe(true);
      expect(await page.locator('.search-hit').getAttribute('aria-current')).toBe('true');
      await box.press('Escape');
      expect(await appears(page.locator('.thread-item').first())).toBe(true);
    });

    it('has asked for /api/state exactly once in all of this, and the console is silent', () => {
      expect(countOf(watched, STATE)).toBe(1);
      expect(watched.complaints).toEqual([]);
    });

    it('drops the answer to what is no longer asked, and says why a search failed', async () => {
      const box = page.getByRole('searchbox', { name: 'Search messages' });
      const held = Promise.withResolvers<void>();
      const seen = Promise.withResolvers<void>();
      const dropped = new Promise<string>((resolve) => {
        page.on('requestfailed', (request) => resolve(request.url()));
      });
      await page.route('**/api/messages?q=slow*', async (route) => {
        seen.resolve();
        await held.promise;
        await route.continue().catch(() => undefined);
      });
      await box.fill('slow');
      await seen.promise;
      await box.fill('zebra');
      expect(await dropped).toContain('q=slow');
      expect(await appears(page.getByRole('status').getByText('2 messages'))).toBe(true);
      held.resolve();

      await page.route('**/api/messages?q=broken*', (route) => route.abort());
      await box.fill('broken');
      expect(await alert('The hive does not answer.')).toBe(true);
      await page.unroute('**/api/messages?q=broken*');
      await page.getByRole('button', { name: 'Try again' }).click();
      expect(await appears(page.getByText('Nothing found'))).toBe(true);
    });
  },
);
