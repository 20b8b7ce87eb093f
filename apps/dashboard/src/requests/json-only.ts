import type { FastifyInstance } from 'fastify';

import { HiveError } from '#libs/protocol';

/**
 * JSON is all that is read: a form or plain text could be sent by any page without asking first. Nest would turn
 * Fastify's errors into ones without a code, so a body that is no JSON is refused here in words.
 */
export function readJsonOnly(http: FastifyInstance): void {
  const parse = http.getDefaultJsonParser('error', 'error');
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    void parse(request, text as string, (error, value) => {
      if (!error) done(null, value);
      else done(new HiveError('malformed_json', `${MALFORMED} (${error.message})`));
    });
  });
}

const MALFORMED = 'the body is not one JSON object; send {} when there is nothing to say';
