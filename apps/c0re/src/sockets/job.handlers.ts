import { Injectable } from '@nestjs/common';

import { formatId, HiveError, parseId, type C0reAnswers } from '#libs/protocol';
import type { WaitingOperationsQuery } from '#libs/requests';

import { OperationGrants } from '../operations/operation-grants.js';
import { isOver, OperationRepository } from '../operations/operation.repository.js';
import { OperationAnswers } from './operation-answers.service.js';
import type { C0reAnswer, C0reRequest, RequestHandlers } from './request-handler.js';

/** Longest that the job of an operation is held, in milliseconds; it asks again. */
const JOB_MS = 15_000;

/** What the scheduler asks for the jobs of the queue `operations`: they hold ids, and only recorded rows run (P27). */
@Injectable()
export class JobHandlers {
  readonly byRoute: Pick<RequestHandlers, 'waiting_operations' | 'run_operation'> = {
    waiting_operations: (request) => this.waiting(request),
    run_operation: (request) => this.run(request),
  };

  constructor(
    private readonly operations: OperationRepository,
    private readonly grants: OperationGrants,
    private readonly answers: OperationAnswers,
  ) {}

  private async waiting({ query }: C0reRequest): Promise<C0reAnswer> {
    const { after } = query as WaitingOperationsQuery;
    const { version, operations } = await this.grants.waiting(after);
    const body: C0reAnswers['waiting_operations'] = {
      version,
      operations: operations.map(({ id, steps }) => ({
        id: formatId('o', id),
        steps: steps.map((step) => formatId('o', step)),
      })),
    };
    return { body };
  }

  private async run({ id }: C0reRequest): Promise<C0reAnswer> {
    const operation = this.operations.find(parseId('o', id) ?? 0);
    if (!operation) throw new HiveError('not_found', 'there is no such operation');
    if (!isOver(operation)) this.grants.grant(operation);
    const { state } = isOver(operation) ? operation : await this.answers.ended(operation, JOB_MS);
    return { body: { id, state } satisfies C0reAnswers['run_operation'] };
  }
}
