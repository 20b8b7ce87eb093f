import { Injectable } from '@nestjs/common';

import type { HiveError, RecvResult } from '#libs/protocol';

import type { ParkedCall } from '../links/parked-call.js';
import { Writer } from '../storage/writer.service.js';

/** A `recv` that waits for a message. */
export interface WaitingReceiver {
  call: ParkedCall<RecvResult>;
  request: string;
  agent: number;
  /** Set for a run's call: what it is given is leased to this turn. */
  turn: number | null;
  session: string;
  max: number;
}

/** The receivers that wait, per agent in the order in which they came. */
@Injectable()
export class WaitingReceivers {
  private readonly byAgent = new Map<number, WaitingReceiver[]>();
  /** Added by the transaction that runs now. */
  private tentative: WaitingReceiver[] = [];

  constructor(private readonly writer: Writer) {
    writer.onRollback(() => {
      for (const receiver of this.tentative.splice(0)) this.remove(receiver);
    });
  }

  /** Inside a request: the end of its transaction already sees the receiver. */
  add(receiver: WaitingReceiver): void {
    const others = this.byAgent.get(receiver.agent);
    if (others) others.push(receiver);
    else this.byAgent.set(receiver.agent, [receiver]);
    if (this.tentative.push(receiver) === 1) {
      this.writer.afterCommit(() => {
        this.tentative = [];
      });
    }
  }

  remove(receiver: WaitingReceiver): void {
    const rest = this.byAgent.get(receiver.agent)?.filter((other) => other !== receiver) ?? [];
    if (rest.length === 0) this.byAgent.delete(receiver.agent);
    else this.byAgent.set(receiver.agent, rest);
  }

  of(agent: number): readonly WaitingReceiver[] {
    return this.byAgent.get(agent) ?? [];
  }

  /** Inside a request: refuses those that match once the transaction is on disk. */
  refuse(
    agent: number,
    matches: (receiver: WaitingReceiver) => boolean,
    error: () => HiveError,
  ): void {
    for (const receiver of this.of(agent)) {
      if (!matches(receiver)) continue;
      this.writer.afterCommit(() => {
        this.remove(receiver);
        receiver.call.refuse(error());
      });
    }
  }
}
