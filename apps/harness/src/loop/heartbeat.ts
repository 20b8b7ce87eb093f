import { HiveError, type ErrorCode, type HarnessCommand, type TurnState } from '#libs/protocol';

import type { HiveClient } from '../gateway/hive-client.js';
import { InstanceSuperseded, type Retries } from '../gateway/retries.js';
import type { CommandInbox } from './command-inbox.js';

/** Everything else says that the turn is not live any more. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'outcome_unknown',
  'internal',
  'rate_limited',
  'too_many_waiting_calls',
  'unauthorized',
]);

export interface HeartbeatOptions {
  client: Pick<HiveClient, 'heartbeat'>;
  retries: Retries;
  inbox: CommandInbox;
  instance: number;
  turnId: string;
  onCommand: (command: HarnessCommand) => void;
  /** The gateway answers again after it had been away. */
  onBack: () => void;
  /** The hive took the turn back. Called at most once. */
  onLost: (error: HiveError | InstanceSuperseded) => void;
}

/** Keeps the lease of a live turn: one long-poll at a time, which also brings commands (P18). */
export class Heartbeat {
  private readonly stopping = new AbortController();
  private call = new AbortController();
  private state: TurnState = 'running';
  private isAway = false;
  private readonly beating: Promise<void>;

  constructor(private readonly options: HeartbeatOptions) {
    this.beating = this.beat();
  }

  /** Shows another state at once: the open long-poll is replaced. */
  show(state: TurnState): void {
    if (state === this.state) return;
    this.state = state;
    this.call.abort();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.call.abort();
    await this.beating;
  }

  private async beat(): Promise<void> {
    const { inbox, onCommand, onBack, onLost } = this.options;
    while (!this.stopping.signal.aborted) {
      this.call = new AbortController();
      try {
        const confirm = inbox.toConfirm();
        const answer = await this.ask(confirm, this.call.signal);
        inbox.confirmed(confirm);
        if (this.isAway) onBack();
        this.isAway = false;
        for (const command of inbox.take(answer.commands)) onCommand(command);
      } catch (error) {
        if (this.call.signal.aborted) continue;
        if (error instanceof InstanceSuperseded || error instanceof HiveError) onLost(error);
        else throw error;
        return;
      }
    }
  }

  private ask(confirm: string[], signal: AbortSignal) {
    const { client, retries, instance, turnId } = this.options;
    return retries.untilAnswered(
      'the heartbeat',
      async () => {
        const request = { instance, turn_state: this.state, confirm };
        try {
          // After an outage the first answer comes at once: it tells that the gateway is back.
          return await client.heartbeat(turnId, request, signal, this.isAway ? 0 : undefined);
        } catch (error) {
          this.isAway = true;
          throw error;
        }
      },
      signal,
      PASSING,
    );
  }
}
