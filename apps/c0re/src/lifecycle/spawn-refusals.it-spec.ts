import { existsSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { C0reAnswers } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reFixture } from '../testing/c0re.fixture.js';
import { refusal } from '../testing/refusal.js';

let hive: C0reFixture;

beforeAll(async () => {
  hive = await C0reFixture.started();
});
afterAll(async () => {
  await hive.remove();
});

describe(verifies('4.4', 'P31') + 'refusals of a spawn', () => {
  it.each([
    ['a key with a typing mistake', { name: 'ada', yaml: 'modle: x\n' }, 'invalid_config'],
    ['an unknown field', { name: 'ada', config: {}, colour: 'red' }, 'unknown_field'],
    ['no configuration', { name: 'ada' }, 'invalid_request'],
    ['two configurations', { name: 'ada', config: {}, yaml: '' }, 'invalid_request'],
    ['the name ..', { name: '..', config: {} }, 'invalid_name'],
    ['the name a/b', { name: 'a/b', config: {} }, 'invalid_name'],
    ['the name -x', { name: '-x', config: {} }, 'invalid_name'],
    ['the name Ada', { name: 'Ada', config: {} }, 'invalid_name'],
    ['a name with a newline', { name: 'ada\n', config: {} }, 'invalid_name'],
    ['a reserved name', { name: 'operator', config: {} }, 'invalid_name'],
    ['manager as a plain agent', { name: 'manager', config: {} }, 'invalid_name'],
    ['a manager of another name', { name: 'ada', config: { role: 'manager' } }, 'invalid_name'],
    ['a driver of later', { name: 'ada', config: { driver: 'codex' } }, 'not_available_yet'],
    ['another container', { name: 'ada', config: { container: 'podman' } }, 'driver_unavailable'],
    [
      'a secret that was not granted',
      { name: 'ada', config: { env: { KEY: 'secret:KEY' } } },
      'invalid_config',
    ],
    ['a file outside', { name: 'ada', config: {}, files: { '../x': '' } }, 'invalid_request'],
    ['a file of git', { name: 'ada', config: {}, files: { '.git/config': '' } }, 'invalid_request'],
  ])('%s, and nothing is stored', async (_what, body, code) => {
    expect((await refusal(hive.post('admin', '/v1/agents', body))).code).toBe(code);
    expect(await hive.getJson('admin', '/v1/agents')).toEqual({ agents: [] });
    expect(await hive.getJson('admin', '/v1/operations')).toEqual({ operations: [] });
    expect(existsSync(hive.agentPath('ada'))).toBe(false);
  });

  it('a name that is in use', async () => {
    await hive.spawn('bob');
    const error = await refusal(hive.post('admin', '/v1/agents', { name: 'bob', config: {} }));
    expect(error.code).toBe('name_taken');
    const { agents } = await hive.getJson<C0reAnswers['agents']>('admin', '/v1/agents');
    expect(agents).toHaveLength(1);
  });
});
