import { describe, expect, it } from 'vitest';

import type { HiveError } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { validate } from '../validate.js';
import { EndDto, EventsDto, HeartbeatDto, HelloDto, PollDto, WakeDto } from './index.js';

const telemetry = {
  started_at: '2026-01-01T00:00:00.000Z',
  ended_at: '2026-01-01T00:00:05.000Z',
  duration_ms: 5000,
  model: null,
  input_tokens: 1,
  output_tokens: 2,
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
  context_tokens: null,
  tool_call_count: 1,
  tool_call_breakdown: { Read: 1, mcp__hyperhive__send: 2 },
  bytes_streamed: 10,
  cost_usd: 0.01,
};
const end = { instance: 3, result_kind: 'ok', shown: ['m1', 'm22'], note: '', telemetry };
const hello = {
  instance: 3,
  driver: 'claude',
  model: 'sonnet',
  hyperhive_rev: 'abc',
  started_at: '2026-01-01T00:00:00.000Z',
  ends: [{ turn_id: 't4', end }],
};
const poll = {
  instance: 3,
  run_token_hash: 'a'.repeat(64),
  last_turn_id: null,
  wait_seconds: 50,
  confirm: ['c1'],
};
const heartbeat = { instance: 3, turn_state: 'running', confirm: [], wait_seconds: 20 };
const events = {
  instance: 3,
  events: [
    { n: 0, at: '2026-01-01T00:00:00.000Z', kind: 'tool_use', tool: 'Read', input: { a: [1] } },
    { n: 1, at: '2026-01-01T00:00:00.000Z', kind: 'text', text: 'ü' },
  ],
};
const wake = { from: 'webhook-1', body: 'deploy done' };

function refused(dto: new () => object, input: unknown): HiveError {
  try {
    validate(dto, input);
  } catch (error) {
    return error as HiveError;
  }
  throw new Error('it was taken');
}

describe(`${verifies('5.1', 'P18')}requests of the harness API`, () => {
  it.each([
    ['hello', HelloDto, hello],
    ['poll', PollDto, poll],
    ['heartbeat', HeartbeatDto, heartbeat],
    ['events', EventsDto, events],
    ['end', EndDto, end],
    ['end without a list', EndDto, { ...end, shown: null }],
    ['wake', WakeDto, wake],
  ])('%s is taken as it is written', (_, dto: new () => object, input) => {
    expect(structuredClone({ ...validate(dto, input) })).toEqual(input);
  });

  it.each([
    ['hello', HelloDto, hello],
    ['poll', PollDto, poll],
    ['heartbeat', HeartbeatDto, heartbeat],
    ['events', EventsDto, events],
    ['end', EndDto, end],
    ['wake', WakeDto, wake],
  ])('%s with an unknown field is refused by its name', (_, dto: new () => object, input) => {
    const error = refused(dto, { ...input, surprise: 1 });
    expect(error.code).toBe('unknown_field');
    expect(error.message).toContain('"surprise"');
  });

  it('refuses unknown fields deep inside', () => {
    expect(refused(EndDto, { ...end, telemetry: { ...telemetry, mood: 1 } }).message).toContain(
      '"telemetry.mood"',
    );
    expect(
      refused(HelloDto, { ...hello, ends: [{ turn_id: 't1', end: { ...end, x: 1 } }] }).message,
    ).toContain('"ends.0.end.x"');
    expect(
      refused(EventsDto, { ...events, events: [{ ...events.events[0], x: 1 }] }).message,
    ).toContain('"events.0.x"');
  });

  it.each<[string, new () => object, object]>([
    ['a negative instance', PollDto, { ...poll, instance: -1 }],
    ['a fractional instance', PollDto, { ...poll, instance: 1.5 }],
    ['a token instead of its hash', PollDto, { ...poll, run_token_hash: 'secret' }],
    ['too long a wait', PollDto, { ...poll, wait_seconds: 51 }],
    ['too long a heartbeat', HeartbeatDto, { ...heartbeat, wait_seconds: 21 }],
    ['an unknown turn state', HeartbeatDto, { ...heartbeat, turn_state: 'busy' }],
    ['a missing list', PollDto, { ...poll, confirm: undefined }],
    ['a strange turn id', PollDto, { ...poll, last_turn_id: 'm4' }],
    ['an unknown driver', HelloDto, { ...hello, driver: 'gpt' }],
    ['an unknown result', EndDto, { ...end, result_kind: 'fine' }],
    ['ids that are not messages', EndDto, { ...end, shown: ['t1'] }],
    ['too long a note', EndDto, { ...end, note: 'x'.repeat(2001) }],
    ['no telemetry', EndDto, { ...end, telemetry: undefined }],
    ['telemetry that is a list', EndDto, { ...end, telemetry: [telemetry] }],
    ['negative counts', EndDto, { ...end, telemetry: { ...telemetry, input_tokens: -1 } }],
    [
      'a breakdown of texts',
      EndDto,
      { ...end, telemetry: { ...telemetry, tool_call_breakdown: { Read: 'x' } } },
    ],
    [
      'an event of 64 KiB and more',
      EventsDto,
      { instance: 3, events: [{ ...events.events[1], text: 'x'.repeat(65_536) }] },
    ],
    [
      'input of 64 KiB and more',
      EventsDto,
      { instance: 3, events: [{ ...events.events[0], input: { x: 'x'.repeat(65_536) } }] },
    ],
    [
      '201 events',
      EventsDto,
      { instance: 3, events: Array.from({ length: 201 }, (_, n) => ({ ...events.events[1], n })) },
    ],
    ['a label in capitals', WakeDto, { ...wake, from: 'Webhook' }],
    ['a label of 33 characters', WakeDto, { ...wake, from: 'x'.repeat(33) }],
  ])('refuses %s', (_, dto, input) => {
    expect(refused(dto, input).code).toBe('invalid_request');
  });
});
