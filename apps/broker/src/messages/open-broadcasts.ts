import { Injectable } from '@nestjs/common';

import { Writer } from '../storage/writer.service.js';
import { BroadcastsRepository } from './broadcasts.repository.js';

/** A broadcast of which a recipient may have no delivery yet. */
export interface OpenBroadcast {
  message: number;
  /** Incarnation, 0 the operator. */
  sender: number;
}

/**
 * Which broadcasts are not written for whom, oldest first: every send and `recv` asks (P21), and while there is none it
 * costs them nothing. Has at least what the rows of `broadcast_chunks` lack; read again after a rollback.
 */
@Injectable()
export class OpenBroadcasts {
  private byRecipient = new Map<number, OpenBroadcast[]>();

  constructor(
    private readonly rows: BroadcastsRepository,
    writer: Writer,
  ) {
    this.reload();
    writer.onRollback(() => this.reload());
  }

  /** Inside a request, with the rows. */
  add(broadcast: OpenBroadcast, recipients: readonly number[]): void {
    for (const recipient of recipients) {
      const others = this.byRecipient.get(recipient);
      if (others) others.push(broadcast);
      else this.byRecipient.set(recipient, [broadcast]);
    }
  }

  /** Those that are not written for the recipient; undefined when there is none. */
  of(recipient: number): readonly OpenBroadcast[] | undefined {
    return this.byRecipient.size === 0 ? undefined : this.byRecipient.get(recipient);
  }

  /** Inside a request: the recipient has its delivery of this one. */
  remove(message: number, recipient: number): void {
    const rest = this.byRecipient.get(recipient)?.filter((open) => open.message !== message) ?? [];
    if (rest.length === 0) this.byRecipient.delete(recipient);
    else this.byRecipient.set(recipient, rest);
  }

  private reload(): void {
    this.byRecipient = new Map();
    for (const { message, sender, recipients } of this.rows.all())
      this.add({ message, sender }, recipients);
  }
}
