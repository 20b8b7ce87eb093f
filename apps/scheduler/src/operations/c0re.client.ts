import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { HttpSocketClient, socketPath } from '#libs/ipc';
import type { C0reAnswers } from '#libs/protocol';

import { SchedulerEnv } from '../settings/scheduler.env.js';

/** c0re as the scheduler may ask it: for the ids of operations that wait, and to give one of them its turn. */
@Injectable()
export class C0reClient implements OnApplicationShutdown {
  private readonly client: HttpSocketClient;

  constructor(env: SchedulerEnv) {
    this.client = new HttpSocketClient(socketPath(env.HIVE_RUNTIME_DIR, 'c0re', 'scheduler'));
  }

  /** Held up to 20 seconds when nothing changed since `after`. Rejects with `unavailable` when c0re is away. */
  waiting(after: string): Promise<C0reAnswers['waiting_operations']> {
    const query = new URLSearchParams({ after }).toString();
    return this.client.call({ method: 'GET', path: `/v1/operations/waiting?${query}` });
  }

  /** Answers when the operation is over, or after 15 seconds as it is then. */
  run(id: string): Promise<C0reAnswers['run_operation']> {
    return this.client.call({ method: 'POST', path: `/v1/operations/${id}/run` });
  }

  onApplicationShutdown(): void {
    this.client.close();
  }
}
