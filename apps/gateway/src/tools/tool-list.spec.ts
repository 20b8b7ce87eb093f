import { describe, expect, it } from 'vitest';

import { LIMITS } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { TOOL_LISTS } from './tool-list.js';

const TOOL_LIST = TOOL_LISTS.manager;
const READING = new Set([
  'get_logs',
  'get_open_threads',
  'get_thread',
  'list_agents',
  'list_my_asks',
  'list_my_reminders',
  'search_messages',
  'whoami',
]);
const byName = new Map(TOOL_LIST.map((tool) => [tool.name, tool]));

describe(`${verifies('1.3', '5.7', '8.3')}the agents' tools`, () => {
  it('are these, by the names that programs rely on', () => {
    expect(TOOL_LISTS.agent.map(({ name }) => name).toSorted()).toEqual([
      'ack',
      'answer',
      'ask',
      'cancel_ask',
      'cancel_reminder',
      'get_open_threads',
      'get_thread',
      'list_agents',
      'list_my_asks',
      'list_my_reminders',
      'recv',
      'recv_batch',
      'remind',
      'request_next_turn',
      'search_messages',
      'send',
      'set_status',
      'whoami',
    ]);
  });

  it(
    verifies('4.6') + 'and the manager has these besides, none that logs in, destroys or purges',
    () => {
      const agents = new Set(TOOL_LISTS.agent.map(({ name }) => name));
      const more = TOOL_LISTS.manager.map(({ name }) => name).filter((name) => !agents.has(name));
      expect(more.toSorted()).toEqual([
        'cancel_question',
        'get_logs',
        'rebuild',
        'request_apply_commit',
        'request_init_config',
        'request_spawn',
        'request_update_meta_inputs',
        'restart',
        'restart_all',
        'start',
        'stop',
      ]);
    },
  );

  it.each(TOOL_LIST)('$name says what it is for and takes and gives objects', (tool) => {
    expect(tool.title).toMatch(/\w/);
    expect(tool.description?.length).toBeGreaterThan(200);
    expect(tool.inputSchema.type).toBe('object');
    expect(tool.inputSchema['additionalProperties']).toBe(false);
    expect(tool.outputSchema?.type).toBe('object');
    expect(tool.annotations?.readOnlyHint).toBe(READING.has(tool.name));
  });

  it('describe every input field', () => {
    for (const { name, inputSchema } of TOOL_LIST) {
      for (const [field, schema] of Object.entries(inputSchema.properties ?? {})) {
        expect((schema as { description?: string }).description, `${name}.${field}`).toMatch(/\w/);
      }
    }
  });

  it('name the limits where they matter', () => {
    expect(byName.get('send')?.description).toContain(String(LIMITS.body_bytes));
    expect(JSON.stringify(byName.get('recv')?.inputSchema)).toContain(
      String(LIMITS.recv_wait_seconds),
    );
    expect(JSON.stringify(byName.get('recv_batch')?.inputSchema)).toContain(
      String(LIMITS.recv_batch),
    );
    const ask = JSON.stringify(byName.get('ask'));
    for (const limit of ['question_ttl_seconds', 'question_options', 'questions_open'] as const) {
      expect(ask).toContain(String(LIMITS[limit]));
    }
    const remind = JSON.stringify(byName.get('remind'));
    for (const limit of [
      'reminder_bytes',
      'reminders_pending',
      'reminder_every_seconds',
    ] as const) {
      expect(remind).toContain(String(LIMITS[limit]));
    }
    expect(JSON.stringify(byName.get('search_messages'))).toContain(String(LIMITS.search_results));
    expect(byName.get('set_status')?.description).toContain(String(LIMITS.status_chars));
  });

  it('say that written is not yet read, and that ack exists', () => {
    expect(byName.get('recv')?.description).toMatch(/does not prove that you read it/);
    expect(byName.get('recv')?.description).toContain('ack');
  });
});
