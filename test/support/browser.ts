import { existsSync } from 'node:fs';

import {
  chromium,
  type Browser,
  type BrowserContext,
  type Locator,
  type Page,
} from 'playwright-core';

/** Where Debian and Ubuntu put it; any other path comes in CHROMIUM. */
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const WIDE = { width: 1440, height: 900 } as const;
export const PHONE = { width: 390, height: 844 } as const;

/** A headless browser with an empty profile that talks to nobody but the page under test. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] ?? CHROMIUM.find((file) => existsSync(file));
  if (!executablePath) {
    throw new Error(
      `no Chromium at ${CHROMIUM.join(', ')}; install it or set CHROMIUM to its path`,
    );
  }
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** What a page asked for and complained about since it was opened. */
export interface Watched {
  /** Paths of all requests, `GET /api/state` and the like. */
  requests: string[];
  /** Errors and warnings of the console, and exceptions that nobody caught. */
  complaints: string[];
}

/** Opens a page that is watched from its first request on. */
export async function watchedPage(
  context: BrowserContext,
): Promise<{ page: Page; watched: Watched }> {
  const page = await context.newPage();
  const watched: Watched = { requests: [], complaints: [] };
  page.on('request', (request) => {
    watched.requests.push(`${request.method()} ${new URL(request.url()).pathname}`);
  });
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      watched.complaints.push(`${message.type()}: ${message.text()}`);
    }
  });
  page.on('pageerror', (error) => watched.complaints.push(`exception: ${error.message}`));
  return { page, watched };
}

export function countOf(watched: Watched, request: string): number {
  return watched.requests.filter((each) => each === request).length;
}

/** Waits until something is to be seen; false when it is not within `timeout` milliseconds. */
export async function appears(locator: Locator, timeout = 60_000): Promise<boolean> {
  try {
    await locator.first().waitFor({ state: 'visible', timeout });
    return true;
  } catch {
    return false;
  }
}
