import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { readEnvironment } from './environment.js';

const GOOD = {
  HIVE_AGENT: 'bob',
  HIVE_ROLE: 'agent',
  HIVE_GATEWAY_URL: 'http://127.0.0.1:7001/',
  HIVE_TOKEN_FILE: '/run/hive/token',
  HIVE_STATE_DIR: '/agents/bob/state',
  HIVE_SHARED_DIR: '/shared',
  HIVE_DOCS_DIR: '/docs',
  HIVE_CONFIG_DIR: '/config',
  HIVE_INSTANCE: '4',
  HIVE_REV: 'abc',
  HIVE_WORK_DIR: '/agents/bob/home/.hive',
  HIVE_HARNESS_CONFIG: '/agents/bob/home/.hive/config.json',
};

describe(verifies('5.1', '4.3') + 'environment of a harness', () => {
  it('is read', () => {
    expect(readEnvironment(GOOD)).toMatchObject({
      agent: 'bob',
      gatewayUrl: 'http://127.0.0.1:7001',
      gatewaySocket: undefined,
      instance: 4,
      homeDir: '/agents/bob/home',
      logLevel: 'info',
    });
    const socket = readEnvironment({ ...GOOD, HIVE_GATEWAY_SOCKET: '/run/hive/gateway.sock' });
    expect(socket.gatewaySocket).toBe('/run/hive/gateway.sock');
  });

  it('lists everything that is wrong in one message', () => {
    const bad = {
      ...GOOD,
      HIVE_AGENT: '',
      HIVE_ROLE: 'king',
      HIVE_GATEWAY_URL: 'unix:/x',
      HIVE_INSTANCE: '0',
      HIVE_STATE_DIR: 'state',
      HIVE_REV: undefined,
    };
    const message = messageOf(() => readEnvironment(bad));
    expect(message).toContain('HIVE_AGENT is not set');
    expect(message).toContain('HIVE_ROLE is "king", allowed: agent, manager');
    expect(message).toContain('HIVE_GATEWAY_URL is "unix:/x"');
    expect(message).toContain('HIVE_INSTANCE is "0", it must be a positive integer');
    expect(message).toContain('HIVE_STATE_DIR is "state", it must be an absolute path');
    expect(message).toContain('HIVE_REV is not set');
  });
});

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was thrown';
}
