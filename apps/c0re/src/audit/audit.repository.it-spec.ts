import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ManualClock } from '#libs/service';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reDatabase } from '../database/c0re.database.js';
import { AuditRepository, type AuditEntry } from './audit.repository.js';

let folder: string;
let database: C0reDatabase;
let clock: ManualClock;
let audit: AuditRepository;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'c0re-audit-'));
  database = new C0reDatabase(path.join(folder, 'c0re.db'));
  clock = new ManualClock();
  audit = new AuditRepository(database, clock);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const entry = (who: string): AuditEntry => ({
  who,
  via: 'none',
  action: 'login',
  target: null,
  result: 'operator_required',
});

describe(verifies('8.7') + 'audit rows', () => {
  it('keep order and time', () => {
    audit.append(entry('operator'));
    clock.advance(5);
    audit.append({ ...entry('operator'), result: 'ok' });
    expect(audit.newest(9).map(({ at, result }) => [at - clock.now(), result])).toEqual([
      [0, 'ok'],
      [-5, 'operator_required'],
    ]);
  });

  it('count what strangers try too often, and never leave out the operator', () => {
    for (let tries = 0; tries < 100; tries++) audit.append(entry('unknown'));
    audit.append(entry('operator'));
    expect(audit.newest(1000)).toHaveLength(61);
    clock.advance(60_000);
    audit.append(entry('unknown'));
    expect(audit.newest(2)).toMatchObject([
      { who: 'unknown', action: 'login' },
      { who: 'unknown', action: 'refused', result: '40 more' },
    ]);
  });
});
