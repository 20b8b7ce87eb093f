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
  /** Loads the same address again by itself, once. */
  again?: boolean;
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
/** The browser held the cookie back because the way here began at another site; loading again is our own way. */
export const COMING_FROM_ELSEWHERE: Notice = {
  status: 200,
  title: 'Opening the hive',
  lines: ['One moment.'],
  again: true,
};

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
        (notice.again ? '<meta http-equiv="refresh" content="0">' : '') +
        `<title>${notice.title}</title><style>${STYLE}</style>` +
        `<body><main><h1>${notice.title}</h1>${paragraphs}</main></body></html>`,
    );
}
