import 'reflect-metadata';
import { describe, expect, it } from 'vitest';

import { HiveError } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { validate } from '../validate.js';
import {
  AckCall,
  callChecks,
  CommandCall,
  EndCall,
  HelloCall,
  PutAgentCall,
  StatusCall,
  WakeCall,
} from './index.js';

const credential = 'ab'.repeat(32);
const request_id = '0198c0de-0000-7000-8000-000000000001';
const send = { credential, request_id, session: 's', to: 'bob', body: 'hi' };
const recv = { credential, request_id, session: 's', max: 1, wait_ms: 0 };

function refusal(check: () => unknown): HiveError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof HiveError) return error;
    throw error;
  }
}

describe(verifies('1.1', '1.3') + 'the checks of send and recv', () => {
  it('let a right call pass as it is', () => {
    expect(callChecks.send(send)).toBe(send);
    const whole = {
      ...send,
      to: ['bob', 'carol'],
      in_reply_to: 'm1',
      priority: 'urgent',
      idempotency_key: 'k',
    };
    expect(callChecks.send(whole)).toBe(whole);
    expect(callChecks.recv(recv)).toBe(recv);
    expect(callChecks.answersWritten({ request_ids: [request_id] })).toBeDefined();
  });

  it.each([
    ['credential', 'short'],
    ['credential', undefined],
    ['request_id', '0198c0de-0000-4000-8000-000000000001'],
    ['request_id', request_id.toUpperCase()],
    ['session', ''],
    ['to', 7],
    ['to', []],
    ['to', Array.from({ length: 33 }, () => 'bob')],
    ['to', [7]],
    ['body', null],
    ['in_reply_to', 7],
    ['priority', 'high'],
    ['idempotency_key', ''],
    ['idempotency_key', 'x'.repeat(201)],
  ])('refuse a send of which %s is %j, and name it', (field, value) => {
    const error = refusal(() => callChecks.send({ ...send, [field]: value }));
    expect(error?.code).toBe('invalid_request');
    expect(error?.details).toEqual({ fields: [field] });
    expect(error?.message).toContain(field);
  });

  it.each([
    ['max', 0],
    ['max', 33],
    ['max', 1.5],
    ['wait_ms', -1],
    ['wait_ms', 180_001],
  ])('refuse a recv of which %s is %j', (field, value) => {
    const error = refusal(() => callChecks.recv({ ...recv, [field]: value }));
    expect(error?.details).toEqual({ fields: [field] });
  });

  it('refuse unknown fields instead of ignoring them, and list every fault', () => {
    expect(refusal(() => callChecks.send({ ...send, urgent: true }))).toMatchObject({
      code: 'unknown_field',
      details: { fields: ['urgent'] },
    });
    expect(refusal(() => callChecks.send({ ...send, urgent: true, to: 7, body: 7 }))).toMatchObject(
      { code: 'invalid_request', details: { fields: ['to', 'body', 'urgent'] } },
    );
    expect(refusal(() => callChecks.nothing({ a: 1 }))?.code).toBe('unknown_field');
  });

  it.each([null, 'text', 7, [send]])('refuse %j, which is no object', (input) => {
    expect(refusal(() => callChecks.send(input))?.code).toBe('invalid_request');
  });
});

describe(verifies('P33', '5.7') + 'the other calls of the broker', () => {
  const telemetry = {
    started_at: '2026-01-01T00:00:00.000Z',
    ended_at: '2026-01-01T00:00:01.000Z',
    duration_ms: 1000,
    model: null,
    input_tokens: 0,
    output_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
    context_tokens: null,
    tool_call_count: 0,
    tool_call_breakdown: {},
    bytes_streamed: 0,
    cost_usd: null,
  };
  const end = { instance: 1, result_kind: 'ok', shown: null, note: '', telemetry };
  const agent = {
    agent_id: '1',
    name: 'bob',
    role: 'agent',
    driver: 'claude',
    model: null,
    container: null,
    token_hash: credential,
    state: 'running',
    reason: '',
    instance: 1,
    allowed_recipients: [],
    quiet_window_ms: 250,
    inbox_limit: 1000,
    sends_per_minute: 60,
    send_burst: 20,
    reminders_pending: 50,
    reminders_per_hour: 60,
    reminder_burst: 10,
    run_dir: '/run',
    deployed_sha: null,
  };

  it('pass when they are right', () => {
    expect(validate(EndCall, { credential, turn_id: 't1', end })).toMatchObject({ end });
    expect(validate(PutAgentCall, { revision: 1, agent })).toMatchObject({ agent });
    expect(validate(StatusCall, { credential, text: 'on it' })).toBeDefined();
    expect(validate(CommandCall, { agent: 'bob', kind: 'model', model: 'x' })).toBeDefined();
  });

  it.each<[string, () => unknown]>([
    ['a status with a NUL', () => validate(StatusCall, { credential, text: 'a\0b' })],
    [
      'a status that is too long',
      () => validate(StatusCall, { credential, text: 'x'.repeat(201) }),
    ],
    ['an ack of what is no id', () => validate(AckCall, { credential, session: 's', ids: ['x'] })],
    [
      'a wake without a label',
      () => validate(WakeCall, { credential, request_id, from: 'Web Hook', body: 'x' }),
    ],
    [
      'an end of an unknown kind',
      () => validate(EndCall, { credential, turn_id: 't1', end: { ...end, result_kind: 'fine' } }),
    ],
    [
      'an end with negative tokens',
      () =>
        validate(EndCall, {
          credential,
          turn_id: 't1',
          end: { ...end, telemetry: { ...telemetry, input_tokens: -1 } },
        }),
    ],
    [
      'an unknown field deep inside',
      () =>
        validate(EndCall, {
          credential,
          turn_id: 't1',
          end: { ...end, telemetry: { ...telemetry, joules: 1 } },
        }),
    ],
    ['a hello without an instance', () => validate(HelloCall, { credential, driver: 'claude' })],
    [
      'an agent with a bad name',
      () => validate(PutAgentCall, { revision: 1, agent: { ...agent, name: 'Bob' } }),
    ],
    [
      'an agent with a bad state',
      () => validate(PutAgentCall, { revision: 1, agent: { ...agent, state: 'asleep' } }),
    ],
    [
      'a command of an unknown kind',
      () => validate(CommandCall, { agent: 'bob', kind: 'explode' }),
    ],
  ])('refuse %s', (_what, check) => {
    expect(['invalid_request', 'unknown_field']).toContain(refusal(check)?.code);
  });
});
