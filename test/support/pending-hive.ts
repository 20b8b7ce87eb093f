import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import Database from 'better-sqlite3';

import { McpHands } from '../../apps/demo/src/hands/mcp-hands.js';
import { startHive, type RunningHive } from './hive.js';

/** A reminder that failed for good, and a delivery that was given up, with their reasons. */
export const FAILED_BECAUSE = 'SQLITE_FULL: database or disk is full';
export const DEAD_BECAUSE = '5 turns failed: the CLI exited with code 1';

/**
 * A real hive in which something of every kind waits: agents without a harness that the test drives by their tools, and
 * rows that fail only after many minutes, which are written while the hive is down.
 */
export class PendingHive {
  private readonly hands = new Map<string, McpHands>();

  private constructor(
    readonly hive: RunningHive,
    private readonly home: string,
  ) {}

  static async start(agents: readonly string[]): Promise<PendingHive> {
    const home = mkdtempSync(path.join(tmpdir(), 'hive-'));
    const first = await startHive({ home });
    const seeded = new PendingHive(first, home);
    try {
      for (const name of agents) {
        await first.api('POST', '/api/agents?wait=1', { name, config: { driver: 'external' } });
      }
      await seeded.seed(agents[0] ?? '', agents[1] ?? '');
    } finally {
      await seeded.close();
      await first.stop();
    }
    seeded.fail();
    return new PendingHive(await startHive({ home }), home);
  }

  /** The tools of an agent. */
  of(name: string): McpHands {
    let hands = this.hands.get(name);
    if (!hands) {
      const token = path.join(this.home, 'agents', name, 'run/token');
      hands = new McpHands(this.hive.gatewayUrl, token);
      this.hands.set(name, hands);
    }
    return hands;
  }

  async stop(): Promise<void> {
    await this.close();
    await this.hive.stop();
    rmSync(this.home, { recursive: true, force: true });
  }

  private async close(): Promise<void> {
    for (const hands of this.hands.values()) await hands.close();
  }

  /** What is pending from before: one who works and one who helps. */
  private async seed(worker: string, helper: string): Promise<void> {
    const hands = this.of(worker);
    const hour = 3600;
    await hands.remind({ message: 'Look whether the release is out.', delay_seconds: 2 * hour });
    await hands.remind({ message: 'Compact the notes.', delay_seconds: hour, every: 'PT1H' });
    await hands.remind({
      message: `Check the mirror once more. ${'All files, and their sums. '.repeat(20)}`,
      delay_seconds: hour,
    });
    await hands.remind({ message: 'Ask about the licence.', delay_seconds: 3 * hour });
    await hands.send({ to: helper, body: 'Please build https://beacon.example/1.4 and tell me.' });
    await hands.send({ to: helper, body: 'And the documentation, once that is done.' });
  }

  /** In the stopped hive: two reminders failed, the two messages were given up. */
  private fail(): void {
    const db = new Database(path.join(this.home, 'db/threads.db'));
    const now = Date.now();
    db.prepare(
      `UPDATE reminders SET state = 'failed', attempt_count = 5, last_error = ?, last_attempt_at = ?, ended_at = ?
       WHERE message LIKE 'Check%' OR message LIKE 'Ask%'`,
    ).run(FAILED_BECAUSE, now - 240_000, now - 240_000);
    db.prepare(
      `UPDATE deliveries SET state = 'dead', attempts = 5, hand_outs = 5, since = ?, reason = ?`,
    ).run(now - 600_000, DEAD_BECAUSE);
    db.close();
  }
}
