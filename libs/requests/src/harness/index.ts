export { EndDto } from './end.dto.js';
export { EventsDto, TurnEventDto } from './events.dto.js';
export { HeartbeatDto } from './heartbeat.dto.js';
export { HelloDto, UnansweredEndDto } from './hello.dto.js';
export { PollDto } from './poll.dto.js';
export { TURN_ID } from './shapes.js';
export { TurnTelemetryDto } from './telemetry.dto.js';
export { WakeDto } from './wake.dto.js';
