import { Injectable } from '@nestjs/common';

import { ThreadsDb } from '../storage/threads.db.js';

/** Recipients of a broadcast whose deliveries are not all written yet. */
export interface Chunk {
  message: number;
  chunk: number;
  /** Incarnations, as they were frozen when it was sent (P21). */
  recipients: number[];
}

type ChunkRecord = Omit<Chunk, 'recipients'> & { recipients: string };

/** Rows of `broadcast_chunks`. Writes only from inside a request. */
@Injectable()
export class BroadcastsRepository {
  private readonly insertRow;
  private readonly selectOne;
  private readonly ofMessage;
  private readonly selectAll;
  private readonly pageAfter;
  private readonly deleteRow;

  constructor({ db }: ThreadsDb) {
    this.insertRow = db.prepare<[number, number, string]>(
      'INSERT INTO broadcast_chunks (message, chunk, recipients) VALUES (?, ?, ?)',
    );
    this.selectOne = db.prepare<[number, number], ChunkRecord>(
      'SELECT * FROM broadcast_chunks WHERE message = +? AND chunk = +?',
    );
    this.ofMessage = db.prepare<[number], ChunkRecord>(
      'SELECT * FROM broadcast_chunks WHERE message = +? ORDER BY chunk',
    );
    this.selectAll = db.prepare<[], ChunkRecord & { sender: number }>(
      `SELECT c.*, m.from_agent AS sender FROM broadcast_chunks c JOIN messages m ON m.id = c.message
       ORDER BY c.message, c.chunk`,
    );
    this.pageAfter = db.prepare<[number, number, number], ChunkRecord>(
      `SELECT * FROM broadcast_chunks WHERE (message, chunk) > (+?, +?)
       ORDER BY message, chunk LIMIT +?`,
    );
    this.deleteRow = db.prepare<[number, number]>(
      'DELETE FROM broadcast_chunks WHERE message = ? AND chunk = ?',
    );
  }

  insert({ message, chunk, recipients }: Chunk): void {
    this.insertRow.run(message, chunk, JSON.stringify(recipients));
  }

  find(message: number, chunk: number): Chunk | undefined {
    const record = this.selectOne.get(message, chunk);
    return record && toChunk(record);
  }

  of(message: number): Chunk[] {
    return this.ofMessage.all(message).map(toChunk);
  }

  /** Every unfinished chunk with its sender, oldest broadcast first. */
  all(): (Chunk & { sender: number })[] {
    return this.selectAll
      .all()
      .map((record) => Object.assign(toChunk(record), { sender: record.sender }));
  }

  /** Unfinished chunks behind this one, in order. */
  after({ message, chunk }: Omit<Chunk, 'recipients'>, limit: number): Chunk[] {
    return this.pageAfter.all(message, chunk, limit).map(toChunk);
  }

  remove({ message, chunk }: Omit<Chunk, 'recipients'>): void {
    this.deleteRow.run(message, chunk);
  }
}

function toChunk({ message, chunk, recipients }: ChunkRecord): Chunk {
  return { message, chunk, recipients: JSON.parse(recipients) as number[] };
}
