import { Injectable } from '@nestjs/common';

import type { RpcPeer } from '#libs/ipc';
import {
  HiveError,
  parseId,
  type EndAnswer,
  type EndRequest,
  type EventsAnswer,
  type EventsRequest,
} from '#libs/protocol';

import { Presence } from '../links/presence.js';
import { Writer } from '../storage/writer.service.js';
import { TurnEnds } from '../turns/turn-ends.service.js';
import { TurnJournal } from '../turns/turn-journal.js';
import { TurnsRepository } from '../turns/turns.repository.js';
import { HarnessIdentity } from './harness-identity.service.js';

/** `end_turn` and `turn_events`: what a harness reports of a turn. */
@Injectable()
export class EndService {
  constructor(
    private readonly writer: Writer,
    private readonly identity: HarnessIdentity,
    private readonly ends: TurnEnds,
    private readonly turnRows: TurnsRepository,
    private readonly presence: Presence,
    private readonly journal: TurnJournal,
  ) {}

  /** The result of a turn; repeated any number of times it is answered and changes nothing. */
  async end(
    credential: string,
    turnId: string,
    end: EndRequest,
    peer: RpcPeer,
  ): Promise<EndAnswer> {
    return this.writer.submit(() => {
      const agent = this.identity.current(credential, end.instance);
      this.presence.heard(agent.id, peer);
      return this.ends.report(agent, turnId, end);
    });
  }

  /** Live events of a turn of this agent. */
  async events(
    credential: string,
    turnId: string,
    { instance, events }: EventsRequest,
    peer: RpcPeer,
  ): Promise<EventsAnswer> {
    const agent = this.identity.current(credential, instance);
    this.presence.heard(agent.id, peer);
    const id = parseId('t', turnId);
    const turn = id === undefined ? undefined : this.turnRows.find(id);
    if (turn?.agent !== agent.id)
      throw new HiveError(
        'not_found',
        `there is no turn ${JSON.stringify(turnId.slice(0, 40))} of yours`,
      );
    return { stored: await this.journal.events({ id: turn.id, agent: agent.name }, events) };
  }
}
