import path from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { openDatabase } from '#libs/store';

import { makeFilledDatabase } from '../../../../bench/prefilled.js';
import { readWal } from '../../../../bench/wal.js';
import { verifies } from '../../../../test/requirements/verifies.js';
import {
  openTestBroker,
  registryAgent,
  removeTestFolders,
  temporaryFolder,
  tokenOf,
} from '../testing/test-broker.js';

/** Messages in one transaction at most, and so the senders that are measured. */
const BATCH = 128;
const BATCHES = 8;
const BODY = 'x'.repeat(1012);

describe(verifies('1.2', '1.7') + 'what a durable message costs', () => {
  afterAll(removeTestFolders);

  it('is one commit per batch and at most 2.5 KB of log per 1 KiB message, in a large database', async () => {
    const dbDir = temporaryFolder();
    makeFilledDatabase(dbDir, 100_000, 2 * BATCH);
    const broker = await openTestBroker({ dbDir });
    const agents = Array.from({ length: 2 * BATCH }, (_, i) =>
      registryAgent(i + 1, `a${i + 1}`, { driver: 'external' }),
    );
    await broker.c0re.put_registry({ revision: 1, agents }, broker.context());
    const file = path.join(dbDir, 'threads.db');
    const second = openDatabase({ path: file, synchronous: 'FULL' });
    second.pragma('wal_checkpoint(TRUNCATE)');
    second.close();

    for (let batch = 0; batch < BATCHES; batch++) {
      const sends = Array.from({ length: BATCH }, async (_, i) =>
        broker.gateway.send(
          {
            credential: tokenOf(i + 1, `a${i + 1}`),
            request_id: broker.requestId(),
            session: 's',
            to: `a${BATCH + i + 1}`,
            body: `${String(batch * BATCH + i).padStart(12, '0')}${BODY}`,
          },
          broker.context(),
        ),
      );
      await Promise.all(sends);
    }

    const { bytes, commits } = readWal(`${file}-wal`);
    expect(commits).toBe(BATCHES);
    expect(bytes / (BATCHES * BATCH)).toBeLessThan(2500);
    expect(bytes / (BATCHES * BATCH)).toBeGreaterThan(1024);
    await broker.close();
  });
});
