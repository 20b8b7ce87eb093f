import { Injectable } from '@nestjs/common';

import type { HeartbeatAnswer, HiveError, PollAnswer } from '#libs/protocol';

import type { ParkedCall } from '../links/parked-call.js';
import { Writer } from '../storage/writer.service.js';

/** A harness that waits for its next turn. */
export interface WaitingPoll {
  call: ParkedCall<PollAnswer>;
  agent: number;
  instance: number;
  /** sha-256 of the token of the CLI that will work on the turn. */
  run: string;
  /** It does not wait: it is answered at the end of its transaction. */
  atOnce: boolean;
}

/** A heartbeat that waits for a command. */
export interface WaitingHeartbeat {
  call: ParkedCall<HeartbeatAnswer>;
  agent: number;
  turn: number;
}

/** Long-polls of harnesses: at most one of each kind per agent, a newer one replaces the older (P7). */
@Injectable()
export class WaitingPolls {
  private readonly polls = new Map<number, WaitingPoll>();
  private readonly heartbeats = new Map<number, WaitingHeartbeat>();
  private tentative: WaitingPoll[] = [];

  constructor(private readonly writer: Writer) {
    writer.onRollback(() => {
      for (const poll of this.tentative.splice(0)) this.remove(poll);
    });
  }

  /** Inside a request: the end of its transaction already sees the poll. */
  add(poll: WaitingPoll): void {
    const older = this.polls.get(poll.agent);
    if (older) this.writer.afterCommit(() => older.call.answer({ turn: null, commands: [] }));
    this.polls.set(poll.agent, poll);
    if (this.tentative.push(poll) === 1) {
      this.writer.afterCommit(() => {
        this.tentative = [];
      });
    }
  }

  of(agent: number): WaitingPoll | undefined {
    const poll = this.polls.get(agent);
    return poll && !poll.call.isOver ? poll : undefined;
  }

  remove(poll: WaitingPoll): void {
    if (this.polls.get(poll.agent) === poll) this.polls.delete(poll.agent);
  }

  addHeartbeat(heartbeat: WaitingHeartbeat, answerOlder: (older: WaitingHeartbeat) => void): void {
    const older = this.heartbeats.get(heartbeat.agent);
    if (older) answerOlder(older);
    this.heartbeats.set(heartbeat.agent, heartbeat);
  }

  heartbeatOf(agent: number): WaitingHeartbeat | undefined {
    return this.heartbeats.get(agent);
  }

  removeHeartbeat(heartbeat: WaitingHeartbeat): void {
    if (this.heartbeats.get(heartbeat.agent) === heartbeat) this.heartbeats.delete(heartbeat.agent);
  }

  /** Inside a request: the agent's poll is refused once the transaction is on disk. */
  refusePoll(agent: number, error: () => HiveError): void {
    const poll = this.of(agent);
    if (!poll) return;
    this.writer.afterCommit(() => {
      this.remove(poll);
      poll.call.refuse(error());
    });
  }

  /** Inside a request: the same for the heartbeat of a turn. */
  refuseHeartbeat(agent: number, turn: number, error: () => HiveError): void {
    const heartbeat = this.heartbeats.get(agent);
    if (heartbeat?.turn !== turn) return;
    this.writer.afterCommit(() => {
      this.removeHeartbeat(heartbeat);
      heartbeat.call.refuse(error());
    });
  }
}
