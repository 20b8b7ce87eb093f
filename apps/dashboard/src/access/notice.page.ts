import { createHash } from 'node:crypto';

import type { FastifyReply } from 'fastify';

import { noticePolicy } from './security-headers.js';

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{display:grid;place-content:center;min-height:100vh;margin:0;padding:1rem;max-width:34rem;margin-inline:auto}
h1{font-size:1.25rem;margin:0 0 .5rem}p{margin:.25rem 0}code{font:.95em ui-monospace,monospace}`;
const POLICY = noticePolicy(createHash('sha256').update(STYLE).digest('base64'));

interface Notice {
  status: number;
  title: string;
  /** Paragraphs; text between backticks is shown as code. No foreign text comes in here. */
  lines: string[];
  /** Address that it goes on to by itself; empty: the same again. Fit for an attribute. */
  onTo?: string;
}

export const LOGIN_NEEDED: Notice = {
  status: 401,
  title: 'Log in to this hive',
  lines: [
    'This page needs a login link. Print a fresh one on the machine that runs the hive:',
    '`npm run hive -- login-link`',
  ],
};
export const LINK_SPENT: Notice = {
  status: 401,
  title: 'This login link is no longer good',
  lines: [
    'A link opens one session, within ten minutes. Print another one on the machine that runs the hive:',
    '`npm run hive -- login-link`',
  ],
};
export const NOT_THERE: Notice = {
  status: 503,
  title: 'The hive is being restarted',
  lines: ['A part of it does not answer yet. Load this page again in a moment.'],
};
/** The browser holds the cookie back while the way here began at another site; from this page on the way is ours. */
export function comingFromElsewhere(onTo: string): Notice {
  return { status: 200, title: 'Opening the hive', lines: ['One moment.'], onTo };
}

/** Sends a small page that needs nothing else. */
export function sendNotice(reply: FastifyReply, notice: Notice): FastifyReply {
  const paragraphs = notice.lines
    .map((line) => `<p>${line.replaceAll(/`([^`]*)`/g, '<code>$1</code>')}</p>`)
    .join('');
  return reply
    .code(notice.status)
    .header('content-security-policy', POLICY)
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(
      `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
        refresh(notice) +
        `<title>${notice.title}</title><style>${STYLE}</style>` +
        `<body><main><h1>${notice.title}</h1>${paragraphs}</main></body></html>`,
    );
}

function refresh({ onTo }: Notice): string {
  if (onTo === undefined) return '';
  return `<meta http-equiv="refresh" content="0${onTo === '' ? '' : `;url=${onTo}`}">`;
}
