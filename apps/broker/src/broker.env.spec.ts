import { describe, expect, it } from 'vitest';

import { loadEnv } from '#libs/service';

import { verifies } from '../../../test/requirements/verifies.js';
import { BrokerEnv } from './broker.env.js';

const NEEDED = { HIVE_DB_DIR: '/db', HIVE_RUNTIME_DIR: '/run', HIVE_REDIS_URL: 'redis://x' };

describe(verifies('1.10', '6.5') + "the broker's environment", () => {
  it('has terms of 30, 400 and 14 days, or other ones', () => {
    expect(loadEnv(BrokerEnv, NEEDED)).toMatchObject({
      HIVE_MESSAGE_DAYS: 30,
      HIVE_TURN_DAYS: 400,
      HIVE_EVENT_DAYS: 14,
    });
    expect(loadEnv(BrokerEnv, { ...NEEDED, HIVE_MESSAGE_DAYS: '7' }).HIVE_MESSAGE_DAYS).toBe(7);
  });

  it.each(['0', '-1', '1.5', '36501', 'ten'])('refuses a term of %s days', (term) => {
    for (const name of ['HIVE_MESSAGE_DAYS', 'HIVE_TURN_DAYS', 'HIVE_EVENT_DAYS']) {
      expect(() => loadEnv(BrokerEnv, { ...NEEDED, [name]: term })).toThrow(
        `${name}="${term}": allowed are whole days from 1 to 36500`,
      );
    }
  });
});
