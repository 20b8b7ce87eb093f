import {
  HiveError,
  LIMITS,
  PRIORITIES,
  type BrokerDashboardApi,
  type BrokerGatewayApi,
  type BrokerSchedulerApi,
} from '#libs/protocol';

import { KEY_CHARS } from './agent-calls.dto.js';
import { isRequestId, isSha256, isStorable } from './checks.js';

/** Jobs in one request at most. */
const JOBS = 10_000;
const REMINDER_ID = /^r[1-9]\d{0,14}$/;

type Fields = Record<string, unknown>;
type Rule = readonly [allowed: (value: unknown) => boolean, must: string];

const text: Rule = [(value) => typeof value === 'string', 'must be text'];
const shortText: Rule = [
  (value) => typeof value === 'string' && value.length > 0 && value.length <= KEY_CHARS,
  `must be 1 to ${KEY_CHARS} characters`,
];
const key: Rule = [
  (value) => shortText[0](value) && isStorable(value as string),
  `must be 1 to ${KEY_CHARS} characters without NUL and lone surrogates`,
];
const credential: Rule = [isSha256, 'must be a sha-256 as 64 hexadecimal digits'];
const requestId: Rule = [isRequestId, 'must be a UUID v7 in lower case'];
const optional = ([allowed, must]: Rule): Rule => [
  (value) => value === undefined || allowed(value),
  must,
];
const wholeNumber = (least: number, most: number): Rule => [
  (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
  `must be a whole number from ${least} to ${most}`,
];
const texts = (most: number): Rule => [
  (value) =>
    Array.isArray(value) &&
    value.length <= most &&
    value.every((entry) => typeof entry === 'string'),
  `must be a list of at most ${most} texts`,
];
const recipients: Rule = [
  (value) =>
    text[0](value) || (texts(LIMITS.recipients)[0](value) && (value as string[]).length > 0),
  `must be a name, "*", or a list of 1 to ${LIMITS.recipients} names`,
];
const priority: Rule = [
  (value) => (PRIORITIES as readonly unknown[]).includes(value),
  `must be one of ${PRIORITIES.join(', ')}`,
];

const MESSAGE = {
  to: recipients,
  body: text,
  in_reply_to: optional(text),
  priority: optional(priority),
  idempotency_key: optional(key),
};
const SEND = { credential, request_id: requestId, session: shortText, ...MESSAGE };
const OPERATOR_SEND = { request_id: requestId, ...MESSAGE };
const RECV = {
  credential,
  request_id: requestId,
  session: shortText,
  max: wholeNumber(1, LIMITS.recv_batch),
  wait_ms: wholeNumber(0, LIMITS.recv_wait_seconds * 1000),
};
const reminderJobs: Rule = [
  (value) => Array.isArray(value) && value.length <= JOBS && value.every(isReminderJob),
  `must be a list of at most ${JOBS} jobs {id, occurrence, attempt}`,
];
const FIRE_REMINDERS = { jobs: reminderJobs };
const NOTHING = {};
const ANSWERS_WRITTEN = { request_ids: texts(10_000) };

/**
 * Checks of the calls that come thousands of times a second, written by hand: class-validator takes 45 µs for the four
 * fields of a wake where these take 2.4 µs for a send (measured), half of what a durable send may cost altogether. Each
 * throws a HiveError that lists every bad field.
 */
export const callChecks = {
  send: (input: unknown) => check(input, SEND) as BrokerGatewayApi['send'][0],
  recv: (input: unknown) => check(input, RECV) as BrokerGatewayApi['recv'][0],
  answersWritten: (input: unknown) =>
    check(input, ANSWERS_WRITTEN) as BrokerGatewayApi['answers_written'][0],
  fireReminders: (input: unknown) =>
    check(input, FIRE_REMINDERS) as BrokerSchedulerApi['fire_reminders'][0],
  /** A request without parameters. */
  nothing: (input: unknown) => check(input, NOTHING) as Record<string, never>,
  operatorSend: (input: unknown) => check(input, OPERATOR_SEND) as BrokerDashboardApi['send'][0],
};

function isReminderJob(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, occurrence, attempt, ...rest } = value as Fields;
  return (
    typeof id === 'string' &&
    REMINDER_ID.test(id) &&
    isCount(occurrence) &&
    isCount(attempt) &&
    Object.keys(rest).length === 0
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function check(input: unknown, rules: Record<string, Rule>): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new HiveError('invalid_request', 'the request must be a JSON object');
  const fields = input as Fields;
  let known = 0;
  for (const name in rules) {
    const value = fields[name];
    if (value !== undefined || name in fields) known += 1;
    if (!rules[name]?.[0](value)) throw problems(fields, rules);
  }
  if (Object.keys(fields).length !== known) throw problems(fields, rules);
  return input;
}

function problems(fields: Fields, rules: Record<string, Rule>): HiveError {
  const unknown = Object.keys(fields).filter((name) => !Object.hasOwn(rules, name));
  const bad = Object.entries(rules).filter(([name, [allowed]]) => !allowed(fields[name]));
  const lines = [
    ...bad.map(([name, [, must]]) => `${name} ${must}`),
    ...unknown.map((name) => `unknown field "${name}"`),
  ];
  return new HiveError(bad.length === 0 ? 'unknown_field' : 'invalid_request', lines.join('; '), {
    fields: [...bad.map(([name]) => name), ...unknown],
  });
}
