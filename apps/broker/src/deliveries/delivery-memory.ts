import type { DeliveryRecord } from './delivery.js';

/**
 * Rows of `deliveries` that are asked for again within moments, as they stand: every leased one, and of each recipient
 * the newest queued one. Kept by DeliveriesRepository with each row that it writes.
 */
export class DeliveryMemory {
  private leasedRows = new Map<number, Map<number, DeliveryRecord>>();
  private readonly newest = new Map<number, DeliveryRecord>();
  /** Leased rows of which `written` is not in the table yet. */
  private readonly toWrite = new Set<DeliveryRecord>();

  /** Begins anew with what the table has. */
  load(leased: readonly DeliveryRecord[]): void {
    this.leasedRows = new Map();
    this.newest.clear();
    this.toWrite.clear();
    for (const row of leased) this.lease(row);
  }

  find(message: number, recipient: number): DeliveryRecord | undefined {
    return this.leasedRows.get(recipient)?.get(message);
  }

  /** Leased rows of a recipient, oldest message first. */
  leasedTo(recipient: number): DeliveryRecord[] {
    const rows = this.leasedRows.get(recipient);
    if (!rows) return [];
    return rows.size === 1 ? [...rows.values()] : inOrder([...rows.values()]);
  }

  queue(row: DeliveryRecord): void {
    this.newest.set(row.recipient, row);
  }

  /** A row that was inserted last of all of this recipient, and that nothing has touched since. */
  newestQueued(recipient: number): DeliveryRecord | undefined {
    return this.newest.get(recipient);
  }

  lease(row: DeliveryRecord): void {
    const others = this.leasedRows.get(row.recipient);
    if (others) others.set(row.message, row);
    else this.leasedRows.set(row.recipient, new Map([[row.message, row]]));
  }

  /** The row changes, or is no longer leased or queued: it is not known any more. Returns it if it was leased. */
  drop(message: number, recipient: number): DeliveryRecord | undefined {
    if (this.newest.get(recipient)?.message === message) this.newest.delete(recipient);
    const rows = this.leasedRows.get(recipient);
    const row = rows?.get(message);
    if (!rows || !row) return undefined;
    if (rows.size === 1) this.leasedRows.delete(recipient);
    else rows.delete(message);
    this.toWrite.delete(row);
    return row;
  }

  /** The client has this hand-out of a leased row; false when that is not known of it. */
  markWritten(message: number, recipient: number, handOut: number): boolean {
    const row = this.find(message, recipient);
    if (row?.hand_outs !== handOut) return false;
    if (row.written === 1) return true;
    const written = { ...row, written: 1 };
    this.lease(written);
    this.toWrite.add(written);
    return true;
  }

  /** Takes the leased rows of which the table has to learn that they were written. */
  takeWritten(): DeliveryRecord[] {
    if (this.toWrite.size === 0) return [];
    const rows = [...this.toWrite];
    this.toWrite.clear();
    return rows;
  }
}

function inOrder(rows: DeliveryRecord[]): DeliveryRecord[] {
  return rows.toSorted((a, b) => a.message - b.message);
}
