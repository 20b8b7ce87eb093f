import { describe, expect, it } from 'vitest';

import { QUEUE_PREFIX, QUEUES, redisOptions } from '#libs/queues';

import { verifies } from '../../../../test/requirements/verifies.js';
import { accountUrl, aclLines, newPasswords } from './redis.accounts.js';

describe(verifies('P29') + 'the accounts of the private Redis', () => {
  it('may reach every queue that there is', () => {
    const lines = aclLines(newPasswords());
    for (const account of ['scheduler', 'dashboard']) {
      const line = lines.find((one) => one.startsWith(`user ${account} `)) ?? '';
      for (const queue of Object.values(QUEUES)) {
        expect(line).toContain(` ~${QUEUE_PREFIX}:${queue}:* `);
      }
    }
  });

  it('stand in the settings without their passwords', () => {
    const passwords = newPasswords();
    const text = aclLines(passwords).join('\n');
    for (const password of Object.values(passwords)) expect(text).not.toContain(password);
    expect(text).toContain('user default off');
  });

  it('have URLs that the services can read', () => {
    const passwords = newPasswords();
    expect(redisOptions(accountUrl('/run/my hive/redis.sock', 'broker', passwords))).toMatchObject({
      path: '/run/my hive/redis.sock',
      username: 'broker',
      password: passwords.broker,
    });
  });
});
