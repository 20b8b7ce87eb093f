import { Inject, Injectable } from '@nestjs/common';

import { formatId, type C0reAnswers } from '#libs/protocol';
import type { WaitQuery } from '#libs/requests';
import type { Clock } from '#libs/service';

import { OperationQueue } from '../operations/operation-queue.service.js';
import {
  isOver,
  OperationRepository,
  toOperationRow,
  type Operation,
} from '../operations/operation.repository.js';
import { CLOCK } from '../settings/tokens.js';
import type { C0reAnswer } from './request-handler.js';

/** Longest that `wait=1` holds an answer back; peers give up after two minutes. */
const LONGEST_WAIT_MS = 100_000;

/** How requests that end in an operation are answered. */
@Injectable()
export class OperationAnswers {
  constructor(
    private readonly operations: OperationRepository,
    private readonly queue: OperationQueue,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The operation as it is now, or with `wait=1` as it ended: a failed one is an answer, not an error. */
  async of(asked: Operation, query: object): Promise<C0reAnswer> {
    const operation =
      (query as WaitQuery).wait === '1' ? await this.ended(asked, LONGEST_WAIT_MS) : asked;
    return {
      status: isOver(operation) ? 200 : 202,
      body: { operation: toOperationRow(operation) } satisfies C0reAnswers['operation'],
      audit: formatId('o', operation.id),
      target: operation.agent ?? 'the hive',
    };
  }

  /** The operation when it is over, or as it is when `ms` have passed. */
  async ended({ id }: Pick<Operation, 'id'>, ms: number): Promise<Operation> {
    const { promise: timeOut, resolve } = Promise.withResolvers<void>();
    const cancel = this.clock.after(ms, resolve);
    await Promise.race([this.queue.ended(id), timeOut]);
    cancel();
    return this.operations.get(id);
  }
}
