import { Injectable } from '@nestjs/common';

import { HiveError, type C0reAnswers } from '#libs/protocol';
import type { OperationRequest, PurgeRequest, ReviveRequest } from '#libs/requests';

import { SelfCheck } from '../health/self-check.service.js';
import { OperationQueue } from '../operations/operation-queue.service.js';
import type { HiveOperationKind } from '../operations/operation.repository.js';
import { Tombstones } from '../tombstones/tombstones.service.js';
import { OperationAnswers } from './operation-answers.service.js';
import type { C0reAnswer, C0reRequest, RequestHandlers } from './request-handler.js';

type LifeRoutes =
  | 'list_tombstones'
  | 'revive'
  | 'purge'
  | 'restart_all'
  | 'update_all'
  | 'self_check';

/** Requests about destroyed agents and about all agents together. */
@Injectable()
export class LifeHandlers {
  readonly byRoute: Pick<RequestHandlers, LifeRoutes> = {
    self_check: async () => ({
      body: (await this.selfCheck.run()) satisfies C0reAnswers['self_check'],
    }),
    list_tombstones: () => this.list(),
    revive: (request) => this.revive(request),
    purge: (request) => this.purge(request),
    restart_all: (request) => this.all('restart_all', request),
    update_all: (request) => this.all('update_all', request),
  };

  constructor(
    private readonly tombstones: Tombstones,
    private readonly queue: OperationQueue,
    private readonly answers: OperationAnswers,
    private readonly selfCheck: SelfCheck,
  ) {}

  private list(): C0reAnswer {
    return { body: { tombstones: this.tombstones.list() } satisfies C0reAnswers['tombstones'] };
  }

  private revive({ name, body, query, askedBy }: C0reRequest): Promise<C0reAnswer> {
    const { agent_id, reason = '' }: ReviveRequest = body;
    const agent = this.tombstones.find(name, agent_id);
    return this.answers.of(this.queue.ask('revive', agent, askedBy, reason), query);
  }

  private purge({ name, body, query, askedBy }: C0reRequest): Promise<C0reAnswer> {
    const { agent_id, confirm, reason = '' } = body as PurgeRequest;
    const agent = this.tombstones.find(name, agent_id);
    if (confirm !== name) {
      throw new HiveError(
        'invalid_request',
        `what is purged is gone for good: give confirm "${name}" to say that you mean it`,
      );
    }
    return this.answers.of(this.queue.ask('purge', agent, askedBy, reason), query);
  }

  private all(kind: HiveOperationKind, { body, query, askedBy }: C0reRequest): Promise<C0reAnswer> {
    const { reason = '' }: OperationRequest = body;
    return this.answers.of(this.queue.askHive(kind, askedBy, reason), query);
  }
}
