import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { openDatabase, type Db } from '#libs/store';

import { makeAgents, type BenchAgent } from '../bench-agents.js';
import type { Door } from '../doors/door.js';
import { InProcessBroker } from '../doors/in-process.js';
import type { Extent } from '../extent.js';
import { acceptedPerSecond, nextBody, type Pair } from '../loads.js';
import { makeFilledDatabase } from '../prefilled.js';
import type { ResultRow } from '../report.js';
import { median } from '../statistics.js';
import { readWal } from '../wal.js';
import { Yardstick } from '../yardsticks.js';

const SENDERS = 128;
/** Batches between two looks at the log: together they stay below the size at which SQLite begins it anew. */
const BATCHES = 8;
const LOOKS = 5;
const G_COMMITS = 120;
const INBOX_PAGE = 50;
const INBOX_LOOKS = 200;
const COUNTS = 100_000;

/** Targets 1 and 5 on a large database: the rate of sends, and what each of them writes. */
export async function measureLarge(
  extent: Extent,
  tell: (text: string) => void,
): Promise<ResultRow[]> {
  const dir = mkdtempSync(path.join(tmpdir(), 'hive-large-'));
  const senders = makeAgents('a', SENDERS, 'external');
  const receivers = makeAgents('b', SENDERS, 'external');
  tell(`filling a database with ${extent.rows.toLocaleString('en')} messages …`);
  makeFilledDatabase(dir, extent.rows, 2 * SENDERS);
  const yardstick = new Yardstick({ lean: true, rows: extent.rows });
  const broker = await InProcessBroker.start([...senders, ...receivers], dir);
  try {
    const pairs = senders.map((sender, i): Pair => [sender, receivers[i] ?? sender]);
    const rows = extent.rows.toLocaleString('en');
    // First: a backlog of unread messages, which the rates leave behind, spreads what each send writes.
    const log = await walRows(broker.door(), pairs, dir, rows);
    const rates: number[] = [];
    const lean: number[] = [];
    for (let round = 0; round < Math.min(3, extent.rounds); round++) {
      lean.push(yardstick.rate(G_COMMITS));
      const rate = await acceptedPerSecond(broker.door(), pairs, extent.loadMs);
      rates.push(rate.perSecond);
    }
    return [
      {
        target: '1',
        what: `send accepted, ${SENDERS} senders, in process, ${rows} messages stored`,
        value: median(rates),
        unit: '/s',
        yardstick: { name: 'lean G at as many rows', value: median(lean), unit: '/s' },
        ratio: median(rates.map((rate, round) => rate / (lean[round] ?? Number.NaN))),
        goal: { at: 'least', value: 0.35 },
        runs: rates,
      },
      ...log,
      ...(await inboxRows(broker, receivers, rows)),
    ];
  } finally {
    await broker.stop();
    yardstick.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Target 7: the inboxes have what the rates left behind, thousands each. */
async function inboxRows(
  broker: InProcessBroker,
  receivers: readonly BenchAgent[],
  rows: string,
): Promise<ResultRow[]> {
  const pages: number[] = [];
  for (let look = 0; look < INBOX_LOOKS; look++) {
    const agent = receivers[look % receivers.length];
    const start = performance.now();
    if (!agent || (await broker.inboxPage(agent, INBOX_PAGE)) < INBOX_PAGE)
      throw new Error('a short page');
    pages.push(performance.now() - start);
  }
  const waiting: number[] = [];
  for (let look = 0; look < INBOX_LOOKS; look++) {
    const started = performance.now();
    if (broker.waitingPage(SENDERS + 1 + (look % SENDERS), INBOX_PAGE) < INBOX_PAGE)
      throw new Error('a short page');
    waiting.push(performance.now() - started);
  }
  const start = performance.now();
  let pending = 0;
  for (let count = 0; count < COUNTS; count++)
    pending = Math.max(pending, broker.pending(SENDERS + 1 + (count % SENDERS)));
  const each = ((performance.now() - start) * 1000) / COUNTS;
  return [
    {
      target: '7',
      what: `the next ${INBOX_PAGE} of an inbox with their messages, ${rows} messages stored: p50`,
      value: median(waiting),
      unit: 'ms',
      goal: { at: 'most', value: 0.3 },
    },
    {
      target: '7',
      what: `the dashboard's page of ${INBOX_PAGE} of an inbox with whole rows, ${rows} messages stored: p50`,
      value: median(pages),
      unit: 'ms',
      goal: { at: 'most', value: 0.3 },
    },
    {
      target: '7',
      what: `how many wait in an inbox of up to ${pending.toLocaleString('en')}`,
      value: each,
      unit: 'µs',
      goal: { at: 'most', value: 50 },
    },
  ];
}

async function walRows(
  door: Door,
  pairs: readonly Pair[],
  dbDir: string,
  rows: string,
): Promise<ResultRow[]> {
  const file = path.join(dbDir, 'threads.db');
  const second = openDatabase({ path: file, synchronous: 'FULL' });
  const looks: { bytes: number; commits: number }[] = [];
  for (let look = 0; look < LOOKS; look++) {
    await emptyLog(second);
    for (let batch = 0; batch < BATCHES; batch++)
      await Promise.all(pairs.map(([from, to]) => door.send(from, to, nextBody())));
    looks.push(readWal(`${file}-wal`));
  }
  second.close();
  const messages = BATCHES * SENDERS;
  const bytes = median(looks.map((look) => look.bytes / messages));
  return [
    {
      target: '5',
      what: `log written per 1 KiB message in batches of ${SENDERS}, ${rows} messages stored`,
      value: bytes,
      unit: 'B',
      goal: { at: 'most', value: 2500 },
      runs: looks.map((look) => look.bytes / messages),
    },
    {
      target: '5',
      what: `commits, each one fsync, per batch of ${SENDERS} sends`,
      value: median(looks.map((look) => look.commits / BATCHES)),
      unit: '',
      // A whole number of sends more than the batches themselves: what confirms answers and empties the outbox.
      goal: { at: 'most', value: 1.5 },
      runs: looks.map((look) => look.commits / BATCHES),
    },
  ];
}

/** Moves the log into the database and begins it anew; waits for those who read. */
async function emptyLog(db: Db): Promise<void> {
  for (;;) {
    const [result] = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
    if (result?.busy === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
