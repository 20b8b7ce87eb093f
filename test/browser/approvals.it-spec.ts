import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { DashboardAnswers } from '#libs/protocol';

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
import { startHive, type RunningHive } from '../support/hive.js';

const PATIENCE = { timeout: 60_000, interval: 200 };
const SCREENSHOTS = path.resolve(import.meta.dirname, '../screenshots');
const YAML = 'driver: command\ncommand: [sleep, "1000"]\n';

let hive: RunningHive;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let watched: Watched;
let manager: Client;

/** Git in ada's proposed repository, as the manager's user. */
function git(...args: string[]): string {
  const folder = path.join(hive.home, 'agents/ada/config');
  const { uid } = lstatSync(folder);
  const user = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  const argv = [...(process.getuid?.() === 0 ? user : []), 'git', '-C', folder];
  const [file = '', ...rest] = [...argv, '-c', 'user.name=m', '-c', 'user.email=m@h', ...args];
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent' };
  return execFileSync(file, rest, { encoding: 'utf8', cwd: '/', env }).trim();
}

/** Commits an agent.yaml without a work tree; returns the commit. */
function commit(yaml: string): string {
  const folder = path.join(hive.home, 'agents/ada/config');
  const { uid } = lstatSync(folder);
  const user = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  const write = ['sh', '-c', 'printf "%s" "$1" > "$0"', path.join(folder, 'agent.yaml'), yaml];
  const [file = '', ...rest] = [...(process.getuid?.() === 0 ? user : []), ...write];
  execFileSync(file, rest, { cwd: '/' });
  git('commit', '--quiet', '--all', '--message', 'new words');
  return git('rev-parse', 'HEAD');
}

async function request(sha: string, description: string): Promise<string> {
  const { structuredContent } = await manager.callTool({
    name: 'request_apply_commit',
    arguments: { agent: 'ada', commit_ref: sha, description },
  });
  return (structuredContent as { id: string }).id;
}

describe(
  verifies('4.4', '4.6', '7.2', '7.3', '7.4', '7.6', 'P30') +
    'approvals on the page of a real hive',
  () => {
    beforeAll(async () => {
      hive = await startHive();
      for (const [name, role] of [
        ['manager', 'manager'],
        ['ada', 'agent'],
      ]) {
        await hive.api('POST', '/api/agents?wait=1', { name, yaml: `role: ${role}\n${YAML}` });
      }
      const token = readFileSync(path.join(hive.home, 'agents/manager/run/token'), 'utf8');
      manager = new Client({ name: 'test', version: '1.0.0' });
      await manager.connect(
        new StreamableHTTPClientTransport(new URL(`${hive.gatewayUrl}/mcp`), {
          requestInit: { headers: { authorization: `Bearer ${token}` } },
        }),
      );
      browser = await launchBrowser();
      context = await browser.newContext({ viewport: WIDE, reducedMotion: 'reduce' });
      ({ page, watched } = await watchedPage(context));
      await page.goto(await hive.loginLink());
      await appears(page.getByRole('heading', { name: 'Swarm' }));
      mkdirSync(SCREENSHOTS, { recursive: true });
    }, 120_000);
    afterAll(async () => {
      await manager?.close();
      await browser?.close();
      await hive?.stop();
    });

    it('stand under Needs you by themselves, and lead to their diff', async () => {
      const sha = commit(`${YAML}system_prompt: "be kind \u202eevil"\n`);
      const id = await request(sha, 'kinder words');
      const review = page.getByRole('link', { name: `Review approval ${id}` });
      expect(await appears(review)).toBe(true);
      await page.screenshot({ path: path.join(SCREENSHOTS, 'approvals-needs-you.png') });
      await review.click();
      const item = page.locator(`[data-approval="${id}"]`);
      expect(await appears(item.getByText('kinder words'))).toBe(true);
      expect(await appears(item.locator('.diff-lines .plus').first())).toBe(true);
      // A character that turns text around is written out.
      expect(await item.locator('.diff-lines').innerText()).toContain(String.raw`\u{202e}`);
      await page.screenshot({ path: path.join(SCREENSHOTS, 'approvals.png') });
      expect(await violations(page)).toEqual([]);
    });

    it('show the diff against the base of choice', async () => {
      const id = await request(
        commit(`${YAML}system_prompt: be kind\nmodel: other\n`),
        'another model too',
      );
      const item = page.locator(`[data-approval="${id}"]`);
      await item.getByRole('radio', { name: 'Queued before' }).check();
      expect(await appears(item.locator('.minus', { hasText: 'evil' }))).toBe(true);
      await item.getByRole('radio', { name: 'Nothing' }).check();
      await expect.poll(() => item.locator('.minus').count(), PATIENCE).toBe(0);
      expect(await appears(item.locator('.plus', { hasText: 'command' }))).toBe(true);
    });

    it('are denied with a reason, and settle from the event', async () => {
      await page.getByRole('button', { name: 'Deny a1' }).click();
      await page.getByRole('textbox', { name: 'Why (optional)' }).fill('it hides something');
      await page.screenshot({ path: path.join(SCREENSHOTS, 'approvals-deny.png') });
      await page.getByRole('button', { name: 'Deny', exact: true }).click();
      const decided = page.locator('.approval.decided[data-approval="a1"]');
      expect(await appears(decided.getByText('it hides something'))).toBe(true);
      expect(await decided.innerText()).toContain('denied');
    });

    it('are approved, built and deployed without a look at the state again', async () => {
      await page.getByRole('button', { name: 'Approve a2' }).click();
      const decided = page.locator('.approval.decided[data-approval="a2"]');
      expect(await appears(decided.getByText('deployed', { exact: true }))).toBe(true);
      const { agents } = await hive.api<{ agents: { name: string; deployed_sha: string }[] }>(
        'GET',
        '/api/state',
      );
      expect(agents.find(({ name }) => name === 'ada')?.deployed_sha).toBe(
        git('rev-parse', 'HEAD'),
      );
      expect(countOf(watched, 'GET /api/state')).toBe(1);
      expect(watched.complaints).toEqual([]);
    });

    it('are the history of the agent’s config', async () => {
      await page.goto(`${hive.dashboardUrl}/agents/ada/config`);
      expect(await appears(page.getByText('deployed/a2'))).toBe(true);
      expect(await appears(page.getByText('denied/a1'))).toBe(true);
      await page.getByRole('button', { name: 'Show what deployed/a2 changes' }).click();
      expect(await appears(page.locator('.diff-lines').first())).toBe(true);
      await page.screenshot({ path: path.join(SCREENSHOTS, 'config-history.png'), fullPage: true });
      expect(await violations(page)).toEqual([]);
      const { history } = await hive.api<DashboardAnswers['config']>(
        'GET',
        '/api/agents/ada/config',
      );
      expect(history.map(({ tag }) => tag)).toEqual(['deployed/a2', 'denied/a1', 'deployed/0']);
    });

    it('fit on a phone', async () => {
      const id = await request(commit(`${YAML}model: third\n`), 'on the way');
      await page.setViewportSize(PHONE);
      await page.goto(`${hive.dashboardUrl}/approvals`);
      expect(await appears(page.getByRole('button', { name: `Approve ${id}` }))).toBe(true);
      expect(await appears(page.locator('.diff-lines').first())).toBe(true);
      await page.screenshot({ path: path.join(SCREENSHOTS, 'approvals-phone.png') });
      expect(await excessWidth(page)).toBe(0);
      expect(await violations(page)).toEqual([]);
    });
  },
);
