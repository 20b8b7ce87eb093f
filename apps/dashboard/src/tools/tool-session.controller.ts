import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

import { OPERATOR_HEADERS } from '#libs/protocol';

/** Where the page keeps the session's second secret in its origin's storage. */
const STORAGE_KEY = 'hive.session';

/** Path of the script that the tool pages load. */
export const TOOL_SESSION_PATH = '/tool-session.js';

/**
 * Bull Board and the API browser are pages of others: they know nothing of the second secret (P30). This script adds
 * it to what they ask of this origin, as the hive's own page does.
 */
const SCRIPT = `const secret = localStorage.getItem('${STORAGE_KEY}');
const isOurs = (url) => new URL(url, location.href).origin === location.origin;
if (secret) {
  const { open } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    open.call(this, method, url, ...rest);
    if (isOurs(url)) this.setRequestHeader('${OPERATOR_HEADERS.page_secret}', secret);
  };
  const { fetch } = window;
  window.fetch = (input, init) => {
    const request = new Request(input, init);
    if (isOurs(request.url)) request.headers.set('${OPERATOR_HEADERS.page_secret}', secret);
    return fetch(request);
  };
}
`;

@Controller()
@ApiExcludeController()
export class ToolSessionController {
  @Get(TOOL_SESSION_PATH)
  @Header('content-type', 'text/javascript; charset=utf-8')
  script(): string {
    return SCRIPT;
  }
}
