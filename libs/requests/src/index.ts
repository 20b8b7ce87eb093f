export * from './broker/index.js';
export {
  AckDto,
  CallerDto,
  InSessionDto,
  StatusDto,
  ThreadDto,
  WakeDto,
} from './broker/agent-calls.dto.js';
export { callChecks } from './broker/call-checks.js';
export {
  EndTurnDto,
  HeartbeatDto,
  HelloDto,
  PollTurnDto,
  TurnEventsDto,
} from './broker/harness-calls.dto.js';
export { CommandDto, MarkReadDto, ReleaseDto } from './broker/operator-calls.dto.js';
export {
  InstanceEndedDto,
  NothingDto,
  PublishDto,
  PutAgentDto,
  PutRegistryDto,
} from './broker/registry-calls.dto.js';
export * from './c0re/index.js';
export { validate } from './validate.js';
