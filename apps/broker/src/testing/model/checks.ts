import { LIMITS } from '#libs/protocol';
import type { Db } from '#libs/store';

import { key, Violation, type Ledger } from './ledger.js';

interface DeliveryState {
  agent: string;
  message: string;
  n: number;
  sender: number;
  priority: number;
  state: string;
  hand_outs: number;
  attempts: number;
  turn: number | null;
}

/** Everything that a repeated request must leave as it is (I7). */
export function dump(db: Db): string {
  return JSON.stringify([
    db.prepare('SELECT * FROM messages ORDER BY id').all(),
    db.prepare('SELECT * FROM deliveries ORDER BY message, recipient').all(),
    db
      .prepare(
        'SELECT id, agent, ended_at, result_kind, acked, returned, next_turn FROM turns ORDER BY id',
      )
      .all(),
    db.prepare('SELECT * FROM runs ORDER BY token_hash').all(),
    db.prepare('SELECT * FROM questions ORDER BY id').all(),
    db.prepare('SELECT * FROM reminders ORDER BY id').all(),
    db.prepare('SELECT * FROM broadcast_chunks ORDER BY message, chunk').all(),
  ]);
}

/** Whether something of normal priority waits for `agent` and may be handed out now. */
export function normalWaits(db: Db, agentId: number, now: number): boolean {
  return (
    db
      .prepare(
        `SELECT 1 FROM deliveries WHERE recipient = ? AND state = 'queued' AND held = 0 AND priority = 1
           AND attempts = 0 AND not_before <= ?`,
      )
      .get(agentId, now) !== undefined
  );
}

/** Whether a turn of this run is live. */
export function runIsLive(db: Db, run: string): boolean {
  return (
    db.prepare('SELECT 1 FROM turns WHERE run = ? AND ended_at IS NULL').get(run) !== undefined
  );
}

/** Compares the rows with what the callers know; throws a Violation. */
export function checkRows(
  db: Db,
  ledger: Ledger,
  limits: { liveTurns: number; toMonotonic: (wall: number) => number },
): void {
  const deliveries = db
    .prepare(
      `SELECT a.name AS agent, 'm' || d.message AS message, d.message AS n, d.sender, d.priority, d.state, d.hand_outs,
              d.attempts, d.turn
       FROM deliveries d JOIN agents a ON a.id = d.recipient ORDER BY d.message`,
    )
    .all() as DeliveryState[];
  checkAcks(deliveries, ledger);
  checkAttempts(deliveries, ledger);
  checkOrder(deliveries);
  checkSends(db, ledger);
  checkLeases(db);
  checkTurns(db, ledger, limits);
}

function checkAcks(deliveries: DeliveryState[], ledger: Ledger): void {
  const acked = new Set<string>();
  for (const { agent, message, state } of deliveries) {
    if (state !== 'acked') continue;
    const delivery = key(agent, message);
    if (!ledger.ackable.has(delivery)) {
      throw new Violation('I1', `${delivery} is acked and no turn that saw it ended ok`);
    }
    acked.add(delivery);
  }
  for (const delivery of ledger.acked) {
    if (!acked.has(delivery))
      throw new Violation('I1 I9', `${delivery} was acked and is not any more`);
  }
  for (const delivery of acked) ledger.acked.add(delivery);
}

function checkAttempts(deliveries: DeliveryState[], ledger: Ledger): void {
  for (const { agent, message, attempts, state, hand_outs: handOuts } of deliveries) {
    const delivery = key(agent, message);
    const own = ledger.failures.get(delivery)?.size ?? 0;
    if (attempts > own) {
      throw new Violation('I10', `${delivery} has ${attempts} attempts, ${own} turns failed on it`);
    }
    if (
      state === 'dead' &&
      attempts < LIMITS.delivery_attempts &&
      handOuts < LIMITS.delivery_hand_outs
    ) {
      throw new Violation(
        'I10',
        `${delivery} is dead after ${attempts} failures and ${handOuts} hand-outs`,
      );
    }
  }
}

/** A delivery that was never handed out must not stand before one of the same sender, recipient and priority that was. */
function checkOrder(deliveries: DeliveryState[]): void {
  const skipped = new Map<string, string>();
  for (const { agent, message, sender, priority, state, hand_outs: handOuts } of deliveries) {
    const triple = `${sender} to ${agent} at ${priority}`;
    if (handOuts === 0 && state === 'queued') skipped.set(triple, skipped.get(triple) ?? message);
    else if (handOuts > 0 && skipped.has(triple)) {
      throw new Violation(
        'I6',
        `${message} (${triple}) was handed out before ${skipped.get(triple)}`,
      );
    }
  }
}

function checkSends(db: Db, ledger: Ledger): void {
  const stored = new Set(db.prepare(`SELECT 'm' || id FROM messages`).pluck().all() as string[]);
  for (const message of ledger.sent.keys()) {
    if (!stored.has(message))
      throw new Violation('I9', `${message} was answered and is not stored`);
  }
}

function checkLeases(db: Db): void {
  const stray = db
    .prepare(
      `SELECT 'm' || d.message AS message, d.turn FROM deliveries d LEFT JOIN turns t ON t.id = d.turn
       WHERE d.state = 'leased' AND d.session IS NULL AND (t.id IS NULL OR t.ended_at IS NOT NULL OR t.agent <> d.recipient)`,
    )
    .get() as { message: string; turn: number } | undefined;
  if (stray)
    throw new Violation(
      'I3',
      `${stray.message} is leased to turn ${stray.turn}, which is not live`,
    );
}

function checkTurns(
  db: Db,
  ledger: Ledger,
  { liveTurns, toMonotonic }: { liveTurns: number; toMonotonic: (wall: number) => number },
): void {
  const live = db
    .prepare('SELECT agent, count(*) AS n FROM turns WHERE ended_at IS NULL GROUP BY agent')
    .all() as {
    agent: number;
    n: number;
  }[];
  if (live.some(({ n }) => n > 1)) throw new Violation('I3', 'an agent has two live turns');
  if (live.length > liveTurns)
    throw new Violation('I12', `${live.length} turns are live, the limit is ${liveTurns}`);
  const expired = db
    .prepare(`SELECT 't' || id AS turn, ended_at FROM turns WHERE ended_by = 'broker'`)
    .all() as {
    turn: string;
    ended_at: number;
  }[];
  for (const { turn, ended_at: endedAt } of expired) {
    if (ledger.excused.has(turn)) continue;
    ledger.excused.add(turn);
    const term = toMonotonic(endedAt) - Math.max(ledger.signs.get(turn) ?? 0, ledger.worldSign);
    if (term < LIMITS.lease_seconds * 1000) {
      throw new Violation('I11', `${turn} lost its lease after ${term} ms of its term`);
    }
  }
}
