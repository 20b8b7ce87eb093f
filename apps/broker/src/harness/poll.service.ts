import { Inject, Injectable } from '@nestjs/common';

import type { CallContext, CallSignal } from '#libs/ipc';
import { formatId, HiveError, type PollAnswer, type PollRequest } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { WakeList } from '../deliveries/wake-list.js';
import { ParkedCall } from '../links/parked-call.js';
import { Presence } from '../links/presence.js';
import type { Agent } from '../registry/agent.js';
import { Credentials } from '../registry/credentials.service.js';
import { Writer } from '../storage/writer.service.js';
import { Commands } from '../turns/commands.service.js';
import { LiveTurns } from '../turns/live-turns.js';
import { TurnStarter } from '../turns/turn-starter.service.js';
import { TurnsRepository } from '../turns/turns.repository.js';
import { WaitingPolls, type WaitingPoll } from '../turns/waiting-polls.js';
import { HarnessIdentity } from './harness-identity.service.js';

/** `poll_turn`: a harness waits for what to do next. */
@Injectable()
export class PollService {
  constructor(
    private readonly writer: Writer,
    private readonly identity: HarnessIdentity,
    private readonly credentials: Credentials,
    private readonly turns: LiveTurns,
    private readonly turnRows: TurnsRepository,
    private readonly starter: TurnStarter,
    private readonly commands: Commands,
    private readonly polls: WaitingPolls,
    private readonly wakes: WakeList,
    private readonly presence: Presence,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Settles with a turn, with commands, or with neither after `wait_seconds`. */
  async poll(credential: string, request: PollRequest, context: CallContext): Promise<PollAnswer> {
    const outcome = await this.writer.submit(() => {
      if (context.signal.aborted) throw new HiveError('cancelled', 'the call was cancelled');
      const agent = this.identity.current(credential, request.instance);
      this.presence.heard(agent.id, context.peer);
      this.assertRun(agent, request.run_token_hash);
      const live = this.turns.of(agent.id);
      if (live && request.last_turn_id === formatId('t', live.id)) {
        throw new HiveError(
          'conflict',
          `turn ${formatId('t', live.id)} is live; report its end before you ask for the next`,
        );
      }
      this.commands.confirm(agent.id, request.confirm);
      return live
        ? this.starter.startAgain(agent, live, request.run_token_hash)
        : this.park(agent, request, context.signal);
    });
    return outcome instanceof ParkedCall ? outcome.answered : outcome;
  }

  /** A run's token belongs to one agent, is not its own token, and is not used again once revoked (P2). */
  private assertRun(agent: Agent, hash: string): void {
    const run = this.turnRows.run(hash);
    if (run?.revoked === 1 && run.agent === agent.id) {
      throw new HiveError(
        'superseded',
        'this run token was revoked: end the CLI that holds it and start one with a new token',
      );
    }
    if ((run && run.agent !== agent.id) || this.credentials.isAgentToken(hash)) {
      throw new HiveError(
        'invalid_request',
        'run_token_hash is the hash of a token that is in use; make a new random token for each CLI process',
      );
    }
  }

  private park(agent: Agent, request: PollRequest, signal: CallSignal): ParkedCall<PollAnswer> {
    const poll: WaitingPoll = {
      agent: agent.id,
      instance: request.instance,
      run: request.run_token_hash,
      atOnce: request.wait_seconds === 0,
      call: new ParkedCall<PollAnswer>({
        clock: this.clock,
        waitMs: request.wait_seconds * 1000,
        signal,
        onGone: () => this.polls.remove(poll),
        onTimeout: () => {
          this.polls.remove(poll);
          poll.call.answer({ turn: null, commands: this.commands.take(agent.id) });
        },
      }),
    };
    this.polls.add(poll);
    this.wakes.add(agent.id);
    return poll.call;
  }
}
