import 'reflect-metadata';
import { describe, expect, it } from 'vitest';

import { HiveError } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { validate } from '../validate.js';
import {
  AgentThreadsCall,
  AnswerCall,
  AnswerQuestionCall,
  AskCall,
  CancelAskCall,
  CancelQuestionCall,
  ExpireQuestionsCall,
  OpenThreadsCall,
  QuestionsCall,
} from './index.js';

const credential = 'ab'.repeat(32);
const request_id = '0198c0de-0000-7000-8000-000000000001';
const caller = { credential, request_id, session: 's' };
const RIGHT = {
  ask: { ...caller, question: 'Tea?' },
  answer: { ...caller, id: 'q1', answer: 'yes' },
  cancel_ask: { ...caller, id: 'q1' },
  get_open_threads: { credential },
  answer_question: { request_id, id: 'q1', answer: ['yes'] },
  cancel_question: { id: 'q1' },
  questions: {},
  agent_threads: { agent: 'bob' },
  expire_questions: { jobs: [{ id: 'q1' }] },
};
const DTOS: Record<keyof typeof RIGHT, new () => object> = {
  ask: AskCall,
  answer: AnswerCall,
  cancel_ask: CancelAskCall,
  get_open_threads: OpenThreadsCall,
  answer_question: AnswerQuestionCall,
  cancel_question: CancelQuestionCall,
  questions: QuestionsCall,
  agent_threads: AgentThreadsCall,
  expire_questions: ExpireQuestionsCall,
};
type Method = keyof typeof RIGHT;

function refusal(method: Method, changes: object): HiveError | undefined {
  try {
    validate(DTOS[method], { ...RIGHT[method], ...changes });
    return undefined;
  } catch (error) {
    if (error instanceof HiveError) return error;
    throw error;
  }
}

describe(verifies('2.1', '2.2', '2.3', '2.4') + 'the checks of calls about questions', () => {
  it.each(Object.keys(RIGHT) as Method[])('let a right %s pass, and no unknown field', (method) => {
    expect(refusal(method, {})).toBeUndefined();
    expect(refusal(method, { urgent: true })?.code).toBe('unknown_field');
  });

  it('let the most of everything pass', () => {
    const options = Array.from({ length: 20 }, (_, n) => `${'😀'.repeat(198)}${n + 10}`);
    expect(
      refusal('ask', { options, multi: true, ttl_seconds: 21_600, to: 'bob' }),
    ).toBeUndefined();
    expect(refusal('answer', { answer: [...options, 'and more'] })).toBeUndefined();
    expect(
      refusal('questions', { agent: 'operator', state: 'open', before: 'q9', limit: 200 }),
    ).toBeUndefined();
  });

  it.each<[Method, string, unknown]>([
    ['ask', 'credential', 'short'],
    ['ask', 'request_id', 'x'],
    ['ask', 'session', ''],
    ['ask', 'question', 7],
    ['ask', 'question', undefined],
    ['ask', 'options', 'yes'],
    ['ask', 'options', [7]],
    ['ask', 'options', ['']],
    ['ask', 'options', ['x'.repeat(201)]],
    ['ask', 'options', ['a\0b']],
    ['ask', 'options', ['\ud800']],
    ['ask', 'options', ['a', 'a']],
    ['ask', 'options', Array.from({ length: 21 }, (_, n) => `${n}`)],
    ['ask', 'multi', 'yes'],
    ['ask', 'ttl_seconds', 0],
    ['ask', 'ttl_seconds', -1],
    ['ask', 'ttl_seconds', 1.5],
    ['ask', 'ttl_seconds', '60'],
    ['ask', 'ttl_seconds', 21_601],
    ['ask', 'ttl_seconds', Infinity],
    ['ask', 'to', ['bob']],
    ['ask', 'to', 'x'.repeat(201)],
    ['answer', 'id', 7],
    ['answer', 'id', 'q'.repeat(201)],
    ['answer', 'answer', 7],
    ['answer', 'answer', null],
    ['answer', 'answer', []],
    ['answer', 'answer', ['a', 7]],
    ['answer', 'answer', { text: 'a' }],
    ['answer', 'answer', Array.from({ length: 22 }, () => 'a')],
    ['cancel_ask', 'id', ['q1']],
    ['cancel_ask', 'request_id', undefined],
    ['get_open_threads', 'scope', 'all'],
    ['answer_question', 'request_id', undefined],
    ['answer_question', 'answer', false],
    ['cancel_question', 'id', undefined],
    ['questions', 'agent', 'Bob'],
    ['questions', 'state', 'closed'],
    ['questions', 'before', 'q0'],
    ['questions', 'limit', 201],
    ['agent_threads', 'agent', '\u202ebob'],
    ['expire_questions', 'jobs', 'q1'],
  ])('refuse a %s of which %s is %j, and name it', (method, field, value) => {
    const error = refusal(method, { [field]: value });
    expect(error?.code).toBe('invalid_request');
    expect(error?.details).toEqual({ fields: [field] });
  });

  it.each<unknown>([[{ id: 7 }], [{}], [7], Array.from({ length: 1001 }, () => ({ id: 'q1' }))])(
    'refuse a batch of jobs that is none',
    (jobs) => {
      expect(refusal('expire_questions', { jobs })?.code).toBe('invalid_request');
    },
  );
});
