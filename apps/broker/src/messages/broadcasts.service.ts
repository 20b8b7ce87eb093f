import { Injectable } from '@nestjs/common';

import {
  broadcastJobId,
  formatId,
  LIMITS,
  parseId,
  type BroadcastJob,
  type JobOutcome,
  type WantedJob,
} from '#libs/protocol';

import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import { Deliveries } from '../deliveries/deliveries.service.js';
import { INBOX_FULL_REASON } from '../deliveries/delivery.js';
import { WaitingReceivers } from '../deliveries/waiting-receivers.js';
import { WakeList } from '../deliveries/wake-list.js';
import { Jobs, type JobSource } from '../jobs/jobs.service.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { Writer } from '../storage/writer.service.js';
import { Addressing } from './addressing.service.js';
import { BroadcastsRepository, type Chunk } from './broadcasts.repository.js';
import { MessagesRepository } from './messages.repository.js';
import { newDelivery } from './new-delivery.js';
import { OpenBroadcasts, type OpenBroadcast } from './open-broadcasts.js';

/** Chunks in one transaction at most: 2,000 deliveries hold the writer some 20 ms. */
const CHUNKS_PER_COMMIT = 10;

/**
 * Broadcasts after they are sent (P21): their recipients rest in chunks until a job, or whatever must come after them,
 * has their deliveries written. A delivery is unique, so each way may come first and any number of times.
 */
@Injectable()
export class Broadcasts implements JobSource {
  constructor(
    private readonly writer: Writer,
    private readonly rows: BroadcastsRepository,
    private readonly open: OpenBroadcasts,
    private readonly messages: MessagesRepository,
    private readonly deliveries: Deliveries,
    private readonly deliveryRows: DeliveriesRepository,
    private readonly addressing: Addressing,
    private readonly receivers: WaitingReceivers,
    private readonly wakes: WakeList,
    private readonly changes: ChangeLog,
    private readonly jobs: Jobs,
  ) {
    jobs.register('broadcasts', this);
  }

  /** Inside the send: fixes who gets it, and wants a job for each chunk of them. */
  freeze(broadcast: OpenBroadcast, recipients: readonly number[]): void {
    for (let at = 0; at < recipients.length; at += LIMITS.broadcast_chunk) {
      const chunk = {
        message: broadcast.message,
        chunk: at / LIMITS.broadcast_chunk,
        recipients: recipients.slice(at, at + LIMITS.broadcast_chunk),
      };
      this.rows.insert(chunk);
      this.jobs.want(jobOf(chunk));
    }
    this.open.add(broadcast, recipients);
    this.handToWaiting(recipients);
  }

  /** Inside a request, before a message of this sender is delivered: what it broadcast before comes first (P9, P21). */
  writeBefore(sender: number, recipient: number): void {
    for (const broadcast of this.open.of(recipient) ?? [])
      if (broadcast.sender === sender) this.write(broadcast.message, recipient);
  }

  /** Inside a request, before something is handed to the recipient: all that was broadcast to it is there. */
  writeFor(recipient: number): void {
    for (const { message } of this.open.of(recipient) ?? []) this.write(message, recipient);
  }

  /** `deliver_chunks`: these jobs came due. Settles when what they ask for is on disk. */
  async deliver(jobs: readonly BroadcastJob[]): Promise<JobOutcome[]> {
    const outcomes: JobOutcome[] = [];
    for (let at = 0; at < jobs.length; at += CHUNKS_PER_COMMIT) {
      const some = jobs.slice(at, at + CHUNKS_PER_COMMIT);
      outcomes.push(...(await this.writer.submit(() => some.map((job) => this.deliverChunk(job)))));
    }
    return outcomes;
  }

  /** Incarnations that a broadcast reaches, in the order of their ids. */
  recipientsOf(message: number): number[] {
    const written = this.deliveryRows.of(message).map(({ recipient }) => recipient);
    const open = this.rows.of(message).flatMap(({ recipients }) => recipients);
    return [...new Set([...written, ...open])].toSorted((a, b) => a - b);
  }

  page(after: string | undefined, limit: number): { jobs: WantedJob[]; next?: string } {
    const behind = after === undefined ? undefined : parseJobId(after);
    // Chunks count from 0, so this stands before the first of all.
    const jobs = this.rows.after(behind ?? { message: 0, chunk: -1 }, limit).map(jobOf);
    const last = jobs.at(-1);
    return { jobs, ...(last && jobs.length === limit ? { next: last.job_id } : {}) };
  }

  wants(jobIds: readonly string[]): string[] {
    return jobIds.filter((id) => {
      const named = parseJobId(id);
      return named && this.rows.find(named.message, named.chunk) !== undefined;
    });
  }

  /** A `recv` that waits is given it in this transaction, as one that comes later would be; of very many, some. */
  private handToWaiting(recipients: readonly number[]): void {
    const waiting = recipients.filter((recipient) => this.receivers.of(recipient).length > 0);
    for (const recipient of waiting.slice(0, LIMITS.broadcast_chunk)) this.wakes.add(recipient);
  }

  private deliverChunk(job: BroadcastJob): JobOutcome {
    const job_id = broadcastJobId(job);
    const chunk = this.rows.find(parseId('m', job.message) ?? 0, job.chunk);
    if (!chunk) return { job_id, outcome: 'gone' };
    const sender = this.messages.find(chunk.message)?.from_agent;
    for (const recipient of chunk.recipients) {
      // What the same sender broadcast before is shown before (P9), whichever job comes first.
      for (const open of this.open.of(recipient) ?? [])
        if (open.sender === sender && open.message <= chunk.message)
          this.write(open.message, recipient);
    }
    this.rows.remove(chunk);
    return { job_id, outcome: 'done' };
  }

  private write(id: number, recipient: number): void {
    this.open.remove(id, recipient);
    const message = this.messages.find(id);
    if (!message) return;
    const isFull =
      message.from_kind !== 'operator' && this.addressing.isFull(recipient, message.priority);
    const delivery = newDelivery(id, message, recipient, false);
    if (isFull) this.deliveries.skip(delivery, INBOX_FULL_REASON);
    else this.deliveries.addOnce(delivery);
    this.changes.deliveryChanged(id);
  }
}

function jobOf({ message, chunk }: Omit<Chunk, 'recipients'>): WantedJob {
  const data = { message: formatId('m', message), chunk };
  return { queue: 'broadcasts', job_id: broadcastJobId(data), due_at: null, data };
}

/** Message and chunk that a job id names. */
function parseJobId(id: string): { message: number; chunk: number } | undefined {
  const [, message = '', chunk = ''] = /^bc-(m\d+)-(\d{1,9})$/.exec(id) ?? [];
  const number = parseId('m', message);
  return number === undefined ? undefined : { message: number, chunk: Number(chunk) };
}
