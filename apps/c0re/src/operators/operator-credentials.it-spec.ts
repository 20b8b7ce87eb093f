import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { OperatorCredential } from '#libs/protocol';
import { ManualClock } from '#libs/service';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reDatabase } from '../database/c0re.database.js';
import { C0reFixture } from '../testing/c0re.fixture.js';
import { OperatorCredentials } from './operator-credentials.service.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let hive: C0reFixture;
let clock: ManualClock;
let operators: OperatorCredentials;

beforeEach(async () => {
  clock = new ManualClock();
  hive = await C0reFixture.started({ clock });
  operators = hive.get(OperatorCredentials);
});
afterEach(async () => {
  await hive.remove();
});

const NEEDED = /this needs the operator/;
const check = (credential: OperatorCredential) => () => operators.check(credential);
const login = () => operators.login(operators.createLoginLink().token);

describe(verifies('8.4', 'P30') + 'login tokens', () => {
  it('are good once', () => {
    const { token } = operators.createLoginLink();
    operators.login(token);
    expect(() => operators.login(token)).toThrow(/used already or is older than 10 minutes/);
  });

  it('are good for 10 minutes, whatever the other ones do', () => {
    const first = operators.createLoginLink();
    clock.advance(9 * MINUTE);
    const second = operators.createLoginLink();
    clock.advance(MINUTE - 1);
    operators.login(first.token);
    const third = operators.createLoginLink();
    clock.advance(9 * MINUTE + 1);
    expect(() => operators.login(second.token)).toThrow(/older than 10 minutes/);
    operators.login(third.token);
  });

  it('say when they are over', () => {
    expect(operators.createLoginLink().expires_at).toBe(
      new Date(clock.now() + 10 * MINUTE).toISOString(),
    );
  });
});

describe(verifies('8.4', 'P30') + 'operator sessions', () => {
  it('open the page by the cookie, everything only with the page secret', () => {
    const { cookie, page_secret } = login();
    expect(operators.check({ cookie })).toEqual({ scope: 'page', kind: 'session' });
    expect(operators.check({ cookie, page_secret })).toEqual({ scope: 'api', kind: 'session' });
    expect(() => operators.require({ cookie })).toThrow(NEEDED);
    expect(check({ page_secret })).toThrow(NEEDED);
  });

  it('do not lend their secret to another session', () => {
    const mine = login();
    const other = login();
    expect(check({ cookie: mine.cookie, page_secret: other.page_secret })).toThrow(NEEDED);
    expect(check({ cookie: mine.page_secret, page_secret: mine.cookie })).toThrow(NEEDED);
    expect(check({ cookie: 'x', page_secret: mine.page_secret })).toThrow(NEEDED);
    expect(check({})).toThrow(NEEDED);
  });

  it('end 12 hours after their last use', () => {
    const { cookie, page_secret } = login();
    for (let hours = 0; hours < 36; hours += 6) {
      clock.advance(6 * HOUR);
      expect(operators.check({ cookie, page_secret }).scope).toBe('api');
    }
    clock.advance(12 * HOUR);
    expect(check({ cookie, page_secret })).toThrow(NEEDED);
    clock.jump(-12 * HOUR);
    expect(check({ cookie, page_secret })).toThrow(NEEDED);
  });

  it('end with a logout', () => {
    const { cookie, page_secret } = login();
    operators.logout({ cookie });
    expect(check({ cookie, page_secret })).toThrow(NEEDED);
    expect(() => operators.logout({ cookie })).toThrow(NEEDED);
  });

  it('are stored as hashes only', () => {
    const { token } = operators.createLoginLink();
    const { cookie, page_secret } = login();
    const { db } = hive.get(C0reDatabase);
    const stored = JSON.stringify([
      db.prepare('SELECT * FROM login_tokens').all(),
      db.prepare('SELECT * FROM operator_sessions').all(),
    ]);
    expect(stored).toMatch(/[0-9a-f]{64}/);
    for (const secret of [token, cookie, page_secret]) expect(stored).not.toContain(secret);
  });
});

describe(verifies('P30') + 'the operator token', () => {
  it('is made once, readable by its owner only, and opens everything', async () => {
    const file = path.join(hive.home, 'secrets', 'operator-token');
    const token = readFileSync(file, 'utf8').trim();
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(operators.check({ bearer: token })).toEqual({ scope: 'api', kind: 'token' });
    await hive.stop();
    await hive.start();
    expect(readFileSync(file, 'utf8').trim()).toBe(token);
    expect(check({ bearer: `${token}x` })).toThrow(NEEDED);
    expect(check({ bearer: '' })).toThrow(NEEDED);
  });

  it('is refused when it is wrong, also beside a good session', () => {
    const session = login();
    expect(
      check({ bearer: 'x', cookie: session.cookie, page_secret: session.page_secret }),
    ).toThrow(NEEDED);
  });
});

describe(verifies('P30') + 'the operator token of HIVE_OPERATOR_TOKEN', () => {
  it('is used and not written down', async () => {
    const given = await C0reFixture.started({ env: { HIVE_OPERATOR_TOKEN: 'chosen-by-operator' } });
    expect(given.get(OperatorCredentials).check({ bearer: 'chosen-by-operator' }).scope).toBe(
      'api',
    );
    expect(() => statSync(path.join(given.home, 'secrets', 'operator-token'))).toThrow(/ENOENT/);
    await given.remove();
  });
});
