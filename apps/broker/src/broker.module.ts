import { Module, type DynamicModule } from '@nestjs/common';

import { BROKER_OPTIONS, CLOCK, clockOf, LOGGER, type BrokerOptions } from './broker.options.js';
import { AckService } from './deliveries/ack.service.js';
import { DeliveriesRepository } from './deliveries/deliveries.repository.js';
import { Deliveries } from './deliveries/deliveries.service.js';
import { InboxCounts } from './deliveries/inbox-counts.js';
import { Picker } from './deliveries/picker.service.js';
import { ReceiveService } from './deliveries/receive.service.js';
import { WaitingReceivers } from './deliveries/waiting-receivers.js';
import { WakeList } from './deliveries/wake-list.js';
import { EventHydrator } from './events/event-hydrator.js';
import { EventPublisher } from './events/event-publisher.service.js';
import { EndService } from './harness/end.service.js';
import { HarnessIdentity } from './harness/harness-identity.service.js';
import { HeartbeatService } from './harness/heartbeat.service.js';
import { HelloService } from './harness/hello.service.js';
import { PollService } from './harness/poll.service.js';
import { JobsRepository } from './jobs/jobs.repository.js';
import { Jobs } from './jobs/jobs.service.js';
import { SchedulerLinks } from './jobs/scheduler-links.js';
import { GatewayLinks } from './links/gateway-links.js';
import { Presence } from './links/presence.js';
import { ManagerNews } from './manager/manager-news.service.js';
import { WaitingAtC0re } from './manager/waiting-at-c0re.js';
import { Addressing } from './messages/addressing.service.js';
import { BroadcastsRepository } from './messages/broadcasts.repository.js';
import { Broadcasts } from './messages/broadcasts.service.js';
import { IdempotencyRepository } from './messages/idempotency.repository.js';
import { MessagesRepository } from './messages/messages.repository.js';
import { OpenBroadcasts } from './messages/open-broadcasts.js';
import { OutgoingMessages } from './messages/outgoing.service.js';
import { SendRate } from './messages/send-rate.js';
import { SendService } from './messages/send.service.js';
import { ThreadsService } from './messages/threads.service.js';
import { UnconfirmedSends } from './messages/unconfirmed-sends.js';
import { NeedsYouList } from './needs-you/needs-you-list.js';
import { OpenThreadRows } from './open-threads/open-thread-rows.js';
import { OpenThreadsService } from './open-threads/open-threads.service.js';
import { OperatorService } from './operator/operator.service.js';
import { ChangeLog } from './outbox/change-log.service.js';
import { OutboxRepository } from './outbox/outbox.repository.js';
import { AnswerService } from './questions/answer.service.js';
import { AskService } from './questions/ask.service.js';
import { QuestionDeadlines } from './questions/question-deadlines.service.js';
import { QuestionOutcomes } from './questions/question-outcomes.service.js';
import { QuestionViews } from './questions/question-views.js';
import { QuestionsRepository } from './questions/questions.repository.js';
import { AgentDirectory } from './registry/agent-directory.service.js';
import { AgentInfo } from './registry/agent-info.service.js';
import { AgentSigns } from './registry/agent-signs.service.js';
import { Credentials } from './registry/credentials.service.js';
import { PurgeService } from './registry/purge.service.js';
import { RegistryRepository } from './registry/registry.repository.js';
import { RegistryService } from './registry/registry.service.js';
import { ReminderBoard } from './reminders/reminder-board.service.js';
import { ReminderCounts } from './reminders/reminder-counts.js';
import { ReminderFiring } from './reminders/reminder-firing.service.js';
import { ReminderJobs } from './reminders/reminder-jobs.js';
import { ReminderLives } from './reminders/reminder-lives.js';
import { ReminderRates } from './reminders/reminder-rates.js';
import { ReminderSteps } from './reminders/reminder-steps.service.js';
import { ReminderViews } from './reminders/reminder-views.js';
import { RemindersRepository } from './reminders/reminders.repository.js';
import { Reminders } from './reminders/reminders.service.js';
import { Confirmations } from './requests/confirmations.service.js';
import { RequestLog } from './requests/request-log.service.js';
import { OpenWindows } from './restarts/open-windows.js';
import { RestartWindowsRepository } from './restarts/restart-windows.repository.js';
import { Restarts } from './restarts/restarts.service.js';
import { ForgottenRepository } from './retention/forgotten.repository.js';
import { MessageWalk } from './retention/message-walk.js';
import { RetentionService } from './retention/retention.service.js';
import { SearchEngine } from './search/search-engine.service.js';
import { SearchService } from './search/search.service.js';
import { C0reHandlers } from './sockets/c0re.handlers.js';
import { DashboardHandlers } from './sockets/dashboard.handlers.js';
import { GatewayHandlers } from './sockets/gateway.handlers.js';
import { SchedulerHandlers } from './sockets/scheduler.handlers.js';
import { SocketServers } from './sockets/socket-servers.service.js';
import { ThreadsDb } from './storage/threads.db.js';
import { Writer } from './storage/writer.service.js';
import { TelemetryJournal } from './telemetry/telemetry.journal.js';
import { Commands } from './turns/commands.service.js';
import { Dispatcher } from './turns/dispatcher.service.js';
import { GrantLimiter } from './turns/grant-limiter.js';
import { JournalFeeder } from './turns/journal-feeder.service.js';
import { LeaseTimes } from './turns/lease-times.js';
import { LiveTurns } from './turns/live-turns.js';
import { RunFences } from './turns/run-fences.js';
import { Sweeper } from './turns/sweeper.service.js';
import { TurnEnds } from './turns/turn-ends.service.js';
import { TurnJournal } from './turns/turn-journal.js';
import { TurnStarter } from './turns/turn-starter.service.js';
import { TurnsRepository } from './turns/turns.repository.js';
import { WaitingPolls } from './turns/waiting-polls.js';
import { WakeCheck } from './turns/wake-check.service.js';
import { WakeRules } from './turns/wake-rules.service.js';
import { WakeSpread } from './turns/wake-spread.js';
import { DashboardReads } from './views/dashboard-reads.js';
import { DeadDeliveries } from './views/dead-deliveries.js';
import { DeliveryViews } from './views/delivery-views.js';
import { MessagePages } from './views/message-pages.js';
import { RowVersion } from './views/row-version.js';
import { RowViews } from './views/row-views.js';

/** threads.db and its single writer. */
const STORAGE = [
  ThreadsDb,
  Writer,
  OutboxRepository,
  ChangeLog,
  RegistryRepository,
  MessagesRepository,
  DeliveriesRepository,
  TurnsRepository,
  QuestionsRepository,
  IdempotencyRepository,
  RequestLog,
  JobsRepository,
  RestartWindowsRepository,
  BroadcastsRepository,
  ForgottenRepository,
  RemindersRepository,
];

/** Equal to rows, but in memory; and what is only in memory: who waits, who is connected, how long leases last. */
const MEMORY = [
  AgentDirectory,
  LiveTurns,
  InboxCounts,
  ReminderCounts,
  ReminderRates,
  UnconfirmedSends,
  OpenBroadcasts,
  OpenWindows,
  SendRate,
  WakeSpread,
  WakeList,
  WaitingReceivers,
  WaitingPolls,
  GatewayLinks,
  SchedulerLinks,
  Presence,
  RunFences,
  LeaseTimes,
  GrantLimiter,
];

/** What carries the requests out. */
const WRITES = [
  Jobs,
  Credentials,
  Addressing,
  Broadcasts,
  OutgoingMessages,
  SendService,
  ThreadsService,
  Deliveries,
  Picker,
  ReceiveService,
  AckService,
  Confirmations,
  Commands,
  WakeRules,
  TurnStarter,
  TurnEnds,
  Dispatcher,
  WakeCheck,
  Sweeper,
  JournalFeeder,
  HarnessIdentity,
  HelloService,
  PollService,
  HeartbeatService,
  EndService,
  AgentInfo,
  AgentSigns,
  RegistryService,
  PurgeService,
  Restarts,
  ManagerNews,
  WaitingAtC0re,
  ReminderLives,
  OperatorService,
  QuestionOutcomes,
  AskService,
  AnswerService,
  QuestionDeadlines,
  ReminderSteps,
  ReminderJobs,
  Reminders,
  ReminderFiring,
  ReminderBoard,
];

/** What others see: telemetry, rows for the dashboard, the event stream. */
const READS = [
  TelemetryJournal,
  { provide: TurnJournal, useExisting: TelemetryJournal },
  RowVersion,
  DeliveryViews,
  ReminderViews,
  RowViews,
  MessagePages,
  DeadDeliveries,
  QuestionViews,
  OpenThreadRows,
  OpenThreadsService,
  NeedsYouList,
  DashboardReads,
  SearchEngine,
  SearchService,
  MessageWalk,
  RetentionService,
  EventHydrator,
  EventPublisher,
];

const SOCKETS = [
  GatewayHandlers,
  DashboardHandlers,
  SchedulerHandlers,
  C0reHandlers,
  SocketServers,
];

/** The broker. One instance per database folder; its options say whether it listens on sockets and relays to Redis. */
@Module({})
export class BrokerModule {
  static with(options: BrokerOptions): DynamicModule {
    return {
      module: BrokerModule,
      providers: [
        { provide: BROKER_OPTIONS, useValue: options },
        { provide: CLOCK, useValue: clockOf(options) },
        { provide: LOGGER, useValue: options.logger },
        ...STORAGE,
        ...MEMORY,
        ...WRITES,
        ...READS,
        ...SOCKETS,
      ],
    };
  }
}
