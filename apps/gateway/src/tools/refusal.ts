import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';

import { clip, HiveError, toErrorBody } from '#libs/protocol';

/** Most problems of one call that are listed; the rest is counted. */
const MOST_PROBLEMS = 5;
/** Characters of a field's name that are repeated to the caller. */
const NAME_CHARS = 60;

/**
 * A refused call as a result of the tool: the text says what was wrong, the limit and what to do; `_meta` carries the
 * code for programs. Never `structuredContent`, which would have to fit the tool's output schema.
 */
export function refusal(error: unknown): CallToolResult {
  const { error: body } = toErrorBody(error);
  return {
    isError: true,
    content: [{ type: 'text', text: `Refused (${body.code}): ${body.message}` }],
    _meta: { 'hyperhive/error': body },
  };
}

/** The problems that zod found in a tool's input, in words that say how to call it. */
export function inputError(tool: string, fields: readonly string[], error: z.ZodError): HiveError {
  const problems = error.issues.map((issue) => problemText(issue));
  const shown = problems.slice(0, MOST_PROBLEMS);
  if (problems.length > shown.length) shown.push(`${problems.length - shown.length} more problems`);
  const takes =
    fields.length === 0 ? `${tool} takes no fields` : `${tool} takes: ${fields.join(', ')}`;
  const onlyUnknown = error.issues.every((issue) => issue.code === 'unrecognized_keys');
  return new HiveError(
    onlyUnknown ? 'unknown_field' : 'invalid_request',
    `${shown.join('; ')}. ${takes}. Call it again with these corrected`,
  );
}

function problemText(issue: z.core.$ZodIssue): string {
  const field = issue.path.length === 0 ? '' : `"${issue.path.map(String).join('.')}"`;
  switch (issue.code) {
    case 'unrecognized_keys': {
      const names = issue.keys.map((key) => JSON.stringify(clip(key, NAME_CHARS)));
      return `unknown field${names.length === 1 ? '' : 's'} ${names.slice(0, MOST_PROBLEMS).join(', ')}`;
    }
    case 'invalid_type':
      if (field === '') return 'the arguments must be one JSON object';
      return issue.input === undefined && issue.message.includes('received undefined')
        ? `${field} is missing`
        : `${field} must be ${article(issue.expected)}`;
    case 'too_big':
      return `${field} is over the limit of ${sizeText(issue.origin, issue.maximum)}`;
    case 'too_small':
      return `${field} must be at least ${sizeText(issue.origin, issue.minimum)}`;
    case 'invalid_value':
      return `${field} must be one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'invalid_union':
    case 'invalid_element':
    case 'invalid_format':
    case 'invalid_key':
    case 'not_multiple_of':
    case 'custom':
      return `${field} ${issue.message}`.trim();
    default:
      return issue satisfies never;
  }
}

function article(type: string): string {
  if (type === 'int') return 'a whole number';
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function sizeText(origin: string, size: number | bigint): string {
  const one = size === 1;
  if (origin === 'array') return one ? '1 item' : `${size} items`;
  if (origin === 'string') return one ? '1 character' : `${size} characters`;
  return String(size);
}
