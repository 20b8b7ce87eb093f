import { Injectable } from '@nestjs/common';

import type { RpcHandlers } from '#libs/ipc';
import type { BrokerSchedulerApi } from '#libs/protocol';
import {
  callChecks,
  DeliverChunksCall,
  ExpireQuestionsCall,
  JobsAddedCall,
  StillWantedCall,
  TakeJobsCall,
  validate,
  WantedJobsCall,
} from '#libs/requests';

import { Jobs } from '../jobs/jobs.service.js';
import { Broadcasts } from '../messages/broadcasts.service.js';
import { QuestionDeadlines } from '../questions/question-deadlines.service.js';
import { ReminderFiring } from '../reminders/reminder-firing.service.js';
import { RetentionService } from '../retention/retention.service.js';
import { Sweeper } from '../turns/sweeper.service.js';
import { WakeCheck } from '../turns/wake-check.service.js';

/** broker-scheduler.sock: the maintenance that a queue asks for. */
@Injectable()
export class SchedulerHandlers {
  readonly table: RpcHandlers<BrokerSchedulerApi>;

  constructor(
    sweeper: Sweeper,
    wakes: WakeCheck,
    deadlines: QuestionDeadlines,
    reminders: ReminderFiring,
    jobs: Jobs,
    broadcasts: Broadcasts,
    retention: RetentionService,
  ) {
    this.table = {
      deliver_chunks: async (params) => ({
        outcomes: await broadcasts.deliver(validate(DeliverChunksCall, params).jobs),
      }),
      expire_questions: (params) => deadlines.expire(validate(ExpireQuestionsCall, params).jobs),
      take_jobs: (params) => jobs.take(validate(TakeJobsCall, params).limit),
      jobs_added: (params) => jobs.haveBeenAdded(validate(JobsAddedCall, params).through),
      wanted_jobs: (params) => {
        const { queue, after, limit } = validate(WantedJobsCall, params);
        return jobs.wanted(queue, after, limit);
      },
      still_wanted: (params) => jobs.stillWanted(validate(StillWantedCall, params).job_ids),
      fire_reminders: (params) => reminders.fire(callChecks.fireReminders(params).jobs),
      sweep_leases: (params) => {
        callChecks.nothing(params);
        return sweeper.sweep();
      },
      sweep_retention: (params) => {
        callChecks.nothing(params);
        return retention.sweep();
      },
      check_wakes: (params) => {
        callChecks.nothing(params);
        return wakes.check();
      },
    };
  }
}
