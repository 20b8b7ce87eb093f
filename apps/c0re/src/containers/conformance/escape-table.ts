import path from 'node:path';

import { ESCAPES } from './escape-attempts.js';

/** The page that holds the table; found from the sources and from the build. */
export const SECURITY_PAGE = path.resolve('docs/security.md');

const BEGIN = '<!-- escapes: begin -->';
const END = '<!-- escapes: end -->';

/** The page with the table of the list of attempts. */
export function withEscapeTable(page: string): string {
  const [before = ''] = page.split(BEGIN);
  const after = page.split(END)[1] ?? '\n';
  return `${before}${BEGIN}\n\n${table()}\n${END}${after}`;
}

function table(): string {
  const lines = [
    '| an agent tries to | nspawn, bubblewrap, podman | process |',
    '| --- | --- | --- |',
  ];
  for (const { title, attempts } of ESCAPES) {
    lines.push(`| **${title}** | | |`);
    for (const { what, isOpenInProcess } of attempts) {
      lines.push(`| ${what} | refused | ${isOpenInProcess ? '**gets through**' : 'refused'} |`);
    }
  }
  return [...lines, ''].join('\n');
}
