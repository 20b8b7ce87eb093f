export {
  AckCall,
  CallerCall,
  EndCall,
  EventsCall,
  HeartbeatCall,
  HelloCall,
  PollCall,
  SearchMessagesCall,
  SessionCall,
  StatusCall,
  ThreadCall,
  WakeCall,
} from './agent-calls.dto.js';
export { callChecks } from './call-checks.js';
export { IsStorable, IsTextOrTexts } from './checks.js';
export {
  CommandCall,
  DeadDeliveriesCall,
  MarkReadCall,
  ReleaseCall,
  RetryCall,
  SearchCall,
  WakeAgentCall,
} from './operator-calls.dto.js';
export {
  AgentThreadsCall,
  AnswerCall,
  AnswerQuestionCall,
  AskCall,
  CancelAskCall,
  CancelQuestionCall,
  ExpireQuestionsCall,
  OpenThreadsCall,
  QuestionsCall,
} from './question-calls.dto.js';
export {
  CancelReminderCall,
  RemindCall,
  ReminderCall,
  RemindersCall,
} from './reminder-calls.dto.js';
export {
  CloseRestartWindowCall,
  InstanceEndedCall,
  OpenRestartWindowCall,
  PublishCall,
  PurgeAgentCall,
  PutAgentCall,
  PutRegistryCall,
  PutWaitingCall,
  TellManagerCall,
} from './registry-calls.dto.js';
export {
  DeliverChunksCall,
  JobsAddedCall,
  StillWantedCall,
  TakeJobsCall,
  WantedJobsCall,
} from './job-calls.dto.js';
