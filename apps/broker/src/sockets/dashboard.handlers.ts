import { Injectable } from '@nestjs/common';

import type { RpcHandlers } from '#libs/ipc';
import type { BrokerDashboardApi } from '#libs/protocol';
import {
  AgentThreadsCall,
  AnswerQuestionCall,
  callChecks,
  CancelQuestionCall,
  CommandCall,
  DeadDeliveriesCall,
  MarkReadCall,
  QuestionsCall,
  ReleaseCall,
  ReminderCall,
  RemindersCall,
  RetryCall,
  SearchCall,
  validate,
  WakeAgentCall,
} from '#libs/requests';

import { SendService } from '../messages/send.service.js';
import { OpenThreadsService } from '../open-threads/open-threads.service.js';
import { OperatorService } from '../operator/operator.service.js';
import { AnswerService } from '../questions/answer.service.js';
import { QuestionViews } from '../questions/question-views.js';
import { ReminderBoard } from '../reminders/reminder-board.service.js';
import { SearchService } from '../search/search.service.js';
import { DashboardReads } from '../views/dashboard-reads.js';
import { DeadDeliveries } from '../views/dead-deliveries.js';

/** broker-dashboard.sock: what the operator sees and says. */
@Injectable()
export class DashboardHandlers {
  readonly table: RpcHandlers<BrokerDashboardApi>;

  constructor(
    reads: DashboardReads,
    dead: DeadDeliveries,
    searches: SearchService,
    sends: SendService,
    operator: OperatorService,
    questions: QuestionViews,
    answers: AnswerService,
    openThreads: OpenThreadsService,
    reminders: ReminderBoard,
  ) {
    this.table = {
      wake: (params) => sends.wakeAgent(validate(WakeAgentCall, params)),
      dead_deliveries: (params) => dead.page(validate(DeadDeliveriesCall, params)),
      snapshot: (params) => reads.snapshot(params),
      messages: (params) => reads.messages(params),
      search: (params) => searches.ofOperator(validate(SearchCall, params)),
      agent_inbox: (params) => reads.agentInbox(params),
      agent_turns: (params) => reads.agentTurns(params),
      agent_events: (params) => reads.agentEvents(params),
      agent_stats: (params) => reads.agentStats(params),
      send: (params) => sends.fromOperator(callChecks.operatorSend(params)),
      questions: (params) => questions.list(validate(QuestionsCall, params)),
      answer_question: (params) => answers.fromOperator(validate(AnswerQuestionCall, params)),
      cancel_question: (params) => answers.cancel(validate(CancelQuestionCall, params)),
      agent_threads: (params) => openThreads.ofAgent(validate(AgentThreadsCall, params).agent),
      needs_you: (params) => {
        callChecks.nothing(params);
        return reads.needsYou();
      },
      mark_read: (params) => operator.markRead(validate(MarkReadCall, params).id),
      command: (params) => operator.command(validate(CommandCall, params)),
      retry_delivery: (params) => operator.retry(validate(RetryCall, params)),
      reminders: (params) => reminders.page(validate(RemindersCall, params)),
      retry_reminder: (params) => reminders.retry(validate(ReminderCall, params)),
      cancel_reminder: (params) => reminders.cancel(validate(ReminderCall, params)),
      release: (params) => operator.release(validate(ReleaseCall, params).agent),
    };
  }
}
