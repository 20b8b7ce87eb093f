import { Injectable } from '@nestjs/common';

import type { DeliveryState } from '#libs/protocol';

import { ThreadsDb } from '../storage/threads.db.js';
import { Writer } from '../storage/writer.service.js';
import { BACK_OFF_MOST_MS } from '../turns/back-off.js';
import { DeliveryMemory } from './delivery-memory.js';
import type { DeliveryRecord, NewDelivery } from './delivery.js';

/**
 * A queued row that may be handed out now. A `not_before` further off than the longest back-off was written before the
 * wall clock jumped back, and does not count.
 */
const AVAILABLE = `state = 'queued' AND held = 0 AND (not_before <= +@now OR not_before > +@now + ${BACK_OFF_MOST_MS})`;

/*
 * `+` before a parameter that an index is searched by: better-sqlite3's SQLite is built with STAT4 and would otherwise
 * plan the statement anew for each value, which takes 10 to 30 times as long as to run it (measured: 0.7 or 16 µs).
 */

interface Available {
  recipient: number;
  now: number;
  limit: number;
  /** Failed turns that the delivery may have at most: one that failed is handed out alone (P13). */
  attempts: number;
}

/** Rows of `deliveries`. Writes only from inside a request; who changes a state goes through Deliveries. */
@Injectable()
export class DeliveriesRepository {
  private readonly insertRow;
  private readonly selectOne;
  private readonly inOrder;
  private readonly ofRank;
  private readonly anyEager;
  private readonly anyDirect;
  private readonly waitingRows;
  private readonly allLeased;
  private readonly heldRows;
  private readonly ofMessage;
  private readonly shownOf;
  private readonly stateCounts;
  private readonly setLeased;
  private readonly setWritten;
  private readonly setQueued;
  private readonly setEnded;
  private readonly setHeld;
  private readonly lifted;
  private readonly setPriority;
  private readonly setForgiven;
  private readonly soonest;
  private readonly lateTurn;
  private readonly deleteOf;
  private readonly memory = new DeliveryMemory();

  constructor({ db }: ThreadsDb, writer: Writer) {
    this.insertRow = db.prepare(
      `INSERT INTO deliveries (message, recipient, state, priority, sender, limited, eager, broadcast, since, reason)
       VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.selectOne = db.prepare<[number, number], DeliveryRecord>(
      'SELECT * FROM deliveries WHERE message = ? AND recipient = ?',
    );
    this.inOrder = db.prepare<Available, DeliveryRecord>(
      `SELECT * FROM deliveries WHERE recipient = +@recipient AND attempts <= +@attempts AND ${AVAILABLE}
       ORDER BY priority, message LIMIT +@limit`,
    );
    this.ofRank = db.prepare<Available & { priority: number }, DeliveryRecord>(
      `SELECT * FROM deliveries
       WHERE recipient = +@recipient AND priority = +@priority AND attempts <= +@attempts AND ${AVAILABLE}
       ORDER BY message LIMIT +@limit`,
    );
    this.anyEager = db
      .prepare<{ recipient: number; now: number }, number>(
        `SELECT 1 FROM deliveries WHERE recipient = +@recipient AND priority < 2 AND eager = 1 AND ${AVAILABLE} LIMIT 1`,
      )
      .pluck();
    this.anyDirect = db
      .prepare<{ recipient: number; now: number }, number>(
        `SELECT 1 FROM deliveries WHERE recipient = +@recipient AND priority < 2 AND broadcast = 0 AND ${AVAILABLE} LIMIT 1`,
      )
      .pluck();
    this.waitingRows = db.prepare<[number], DeliveryRecord>(
      `SELECT * FROM deliveries WHERE recipient = +? AND state = 'queued' ORDER BY priority, message`,
    );
    this.soonest = db
      .prepare<{ recipient: number; now: number }, number | null>(
        `SELECT min(not_before) FROM deliveries
         WHERE recipient = +@recipient AND state = 'queued' AND held = 0 AND priority < 2
           AND not_before > +@now AND not_before <= +@now + ${BACK_OFF_MOST_MS}`,
      )
      .pluck();
    this.allLeased = db.prepare<[], DeliveryRecord>(
      `SELECT * FROM deliveries WHERE state = 'leased' ORDER BY recipient, message`,
    );
    this.heldRows = db.prepare<[number], DeliveryRecord>(
      `SELECT * FROM deliveries WHERE recipient = +? AND state = 'queued' AND held = 1`,
    );
    this.lifted = db.prepare<[number, string], DeliveryRecord>(
      `SELECT * FROM deliveries WHERE recipient = +? AND state = 'queued' AND priority = 2 AND reason = +?`,
    );
    this.ofMessage = db.prepare<[number], DeliveryRecord>(
      'SELECT * FROM deliveries WHERE message = +? ORDER BY recipient',
    );
    this.shownOf = db.prepare<[number, number], DeliveryRecord>(
      `SELECT * FROM deliveries WHERE message = +?
       ORDER BY CASE state WHEN 'dead' THEN 0 WHEN 'leased' THEN 1 WHEN 'queued' THEN 2 ELSE 3 END, recipient LIMIT +?`,
    );
    this.stateCounts = db.prepare<[number], { state: DeliveryState; n: number }>(
      'SELECT state, count(*) AS n FROM deliveries WHERE message = +? GROUP BY state',
    );
    this.lateTurn = db.prepare<[number, number, number], DeliveryRecord>(
      `SELECT * FROM deliveries WHERE message = +? AND recipient = +? AND turn = +? AND state IN ('queued', 'dead')`,
    );
    this.setLeased = db.prepare<[number | null, string | null, number, number, number, number]>(
      `UPDATE deliveries SET state = 'leased', turn = ?, session = ?, written = ?, since = ?,
         hand_outs = hand_outs + 1 WHERE message = ? AND recipient = ?`,
    );
    this.setWritten = db.prepare<[number, number, number]>(
      `UPDATE deliveries SET written = 1 WHERE message = ? AND recipient = ? AND hand_outs = ?`,
    );
    this.setQueued = db.prepare<[number, number, number, number, number, number]>(
      `UPDATE deliveries SET state = 'queued', attempts = ?, not_before = ?, held = ?, since = ?
       WHERE message = ? AND recipient = ?`,
    );
    this.setEnded = db.prepare<
      [DeliveryState, number, number, number, string | null, number, number]
    >(
      `UPDATE deliveries SET state = ?, attempts = ?, held = 0, written = ?, since = ?, reason = ?
       WHERE message = ? AND recipient = ?`,
    );
    this.setHeld = db.prepare<[number, number, number]>(
      'UPDATE deliveries SET held = ? WHERE message = ? AND recipient = ?',
    );
    this.setForgiven = db.prepare<[number, number]>(
      'UPDATE deliveries SET forgiven = hand_outs, reason = NULL WHERE message = ? AND recipient = ?',
    );
    this.setPriority = db.prepare<[number, number, number]>(
      'UPDATE deliveries SET priority = ?, reason = NULL WHERE message = ? AND recipient = ?',
    );
    this.deleteOf = db.prepare<[number]>('DELETE FROM deliveries WHERE message = +?');
    this.memory.load(this.allLeased.all());
    writer.onRollback(() => this.memory.load(this.allLeased.all()));
    writer.onSettle('rows', () => {
      for (const row of this.memory.takeWritten()) this.storeWritten(row);
    });
  }

  insert(delivery: NewDelivery & { since: number }): void {
    this.insertRow.run(
      delivery.message,
      delivery.recipient,
      delivery.priority,
      delivery.sender,
      delivery.limited,
      delivery.eager,
      delivery.broadcast,
      delivery.since,
      delivery.reason,
    );
    this.memory.queue({
      ...delivery,
      state: 'queued',
      hand_outs: 0,
      forgiven: 0,
      attempts: 0,
      turn: null,
      session: null,
      written: 0,
      not_before: 0,
      held: 0,
    });
  }

  find(message: number, recipient: number): DeliveryRecord | undefined {
    return this.memory.find(message, recipient) ?? this.selectOne.get(message, recipient);
  }

  /**
   * The row that was inserted last for this recipient while it is as it was then: where no other is queued, this is what
   * `available` would find.
   */
  newestQueued(recipient: number): DeliveryRecord | undefined {
    return this.memory.newestQueued(recipient);
  }

  /** Rows that may be handed out now, in the order of priority and age. */
  available(query: Available): DeliveryRecord[] {
    return this.inOrder.all(query);
  }

  /** The same of one priority. */
  availableOf(priority: number, query: Available): DeliveryRecord[] {
    return this.ofRank.all({ ...query, priority });
  }

  /** Whether something waits that skips the quiet window (P16). */
  hasEager(recipient: number, now: number): boolean {
    return this.anyEager.get({ recipient, now }) !== undefined;
  }

  /** Whether something other than broadcasts waits that could start a turn. */
  hasDirect(recipient: number, now: number): boolean {
    return this.anyDirect.get({ recipient, now }) !== undefined;
  }

  /** All that waits for the recipient, held or not. */
  queuedFor(recipient: number): DeliveryRecord[] {
    return this.waitingRows.all(recipient);
  }

  /** When the next backed-off row comes due that could start a turn; undefined when there is none. */
  nextDue(recipient: number, now: number): number | undefined {
    return this.soonest.get({ recipient, now }) ?? undefined;
  }

  /** From memory, oldest message first. */
  leasedTo(recipient: number): DeliveryRecord[] {
    return this.memory.leasedTo(recipient);
  }

  /** All leased rows as the table has them: who looks for what should not be asks here. */
  leased(): DeliveryRecord[] {
    return this.allLeased.all();
  }

  heldOf(recipient: number): DeliveryRecord[] {
    return this.heldRows.all(recipient);
  }

  /** Queued `low` rows that are so for this reason. */
  loweredFor(recipient: number, reason: string): DeliveryRecord[] {
    return this.lifted.all(recipient, reason);
  }

  of(message: number): DeliveryRecord[] {
    return this.ofMessage.all(message);
  }

  /** The first of a message's deliveries: dead ones, then those under way. */
  shown(message: number, limit: number): DeliveryRecord[] {
    return this.shownOf.all(message, limit);
  }

  /** How many of a message's deliveries are in each state. */
  counts(message: number): Partial<Record<DeliveryState, number>> {
    return Object.fromEntries(this.stateCounts.all(message).map(({ state, n }) => [state, n]));
  }

  /** The delivery if it is queued or dead and that turn was its last lease (P6). */
  restingSince(message: number, recipient: number, turn: number): DeliveryRecord | undefined {
    return this.lateTurn.get(message, recipient, turn);
  }

  /** Returns the row as it is then. */
  lease(
    delivery: DeliveryRecord,
    holder: { turn: number | null; session: string | null; written: number },
    now: number,
  ): DeliveryRecord {
    const leased: DeliveryRecord = {
      ...delivery,
      ...holder,
      state: 'leased',
      since: now,
      hand_outs: delivery.hand_outs + 1,
    };
    this.memory.drop(delivery.message, delivery.recipient);
    this.memory.lease(leased);
    this.setLeased.run(
      holder.turn,
      holder.session,
      holder.written,
      now,
      delivery.message,
      delivery.recipient,
    );
    return leased;
  }

  /** The client has the hand-out of this number. Leased rows learn it at the end of the transaction: most are acked in it. */
  markWritten(message: number, recipient: number, handOut: number): void {
    if (!this.memory.markWritten(message, recipient, handOut))
      this.setWritten.run(message, recipient, handOut);
  }

  queue(
    delivery: DeliveryRecord,
    to: { attempts: number; notBefore: number; held: number },
    now: number,
  ): void {
    this.forget(delivery);
    this.setQueued.run(
      to.attempts,
      to.notBefore,
      to.held,
      now,
      delivery.message,
      delivery.recipient,
    );
  }

  end(
    delivery: DeliveryRecord,
    to: { state: DeliveryState; attempts: number; reason: string | null },
    now: number,
  ): void {
    const { message, recipient } = delivery;
    const { written } = this.memory.drop(message, recipient) ?? delivery;
    this.setEnded.run(to.state, to.attempts, written, now, to.reason, message, recipient);
  }

  /** Removes every delivery of a message; all of them are over. */
  removeOf(message: number): void {
    this.deleteOf.run(message);
  }

  /** Its hand-outs so far do not count towards its death. */
  forgive(delivery: DeliveryRecord): void {
    this.forget(delivery);
    this.setForgiven.run(delivery.message, delivery.recipient);
  }

  hold(delivery: DeliveryRecord, held: boolean): void {
    this.forget(delivery);
    this.setHeld.run(held ? 1 : 0, delivery.message, delivery.recipient);
  }

  reprioritise(delivery: DeliveryRecord, priority: number): void {
    this.forget(delivery);
    this.setPriority.run(priority, delivery.message, delivery.recipient);
  }

  /** The row leaves the memory, with what the table has still to learn of it. */
  private forget({ message, recipient }: DeliveryRecord): void {
    const leased = this.memory.drop(message, recipient);
    if (leased?.written === 1) this.storeWritten(leased);
  }

  private storeWritten({ message, recipient, hand_outs }: DeliveryRecord): void {
    this.setWritten.run(message, recipient, hand_outs);
  }
}
