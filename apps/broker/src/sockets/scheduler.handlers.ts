import { Injectable } from '@nestjs/common';

import type { RpcHandlers } from '#libs/ipc';
import type { BrokerSchedulerApi } from '#libs/protocol';
import { callChecks, ExpireQuestionsCall, validate } from '#libs/requests';

import { QuestionDeadlines } from '../questions/question-deadlines.service.js';
import { Sweeper } from '../turns/sweeper.service.js';
import { WakeCheck } from '../turns/wake-check.service.js';
import { notYet } from './not-yet.js';

/** broker-scheduler.sock: the maintenance that a queue asks for. */
@Injectable()
export class SchedulerHandlers {
  readonly table: RpcHandlers<BrokerSchedulerApi>;

  constructor(sweeper: Sweeper, wakes: WakeCheck, deadlines: QuestionDeadlines) {
    this.table = {
      ...notYet('take_jobs', 'jobs_added', 'wanted_jobs', 'still_wanted'),
      ...notYet('deliver_chunks'),
      ...notYet('fire_reminders'),
      ...notYet('sweep_retention'),
      expire_questions: (params) => deadlines.expire(validate(ExpireQuestionsCall, params).jobs),
      sweep_leases: (params) => {
        callChecks.nothing(params);
        return sweeper.sweep();
      },
      check_wakes: (params) => {
        callChecks.nothing(params);
        return wakes.check();
      },
    };
  }
}
