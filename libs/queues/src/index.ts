export { AgainLaterError } from './again-later.error.js';
export { closeAfterDraining, Drained } from './close-after-draining.js';
export { redisOptions, type ReconnectingOptions } from './connection.js';
export {
  DrainingWorkerHost,
  MissingJobHandlerError,
  type JobHandlers,
} from './draining-worker-host.js';
export {
  DUE_JOB,
  MAINTENANCE_EVERY_MS,
  OPERATION_JOB,
  QUEUE_PREFIX,
  QUEUES,
  type DueJobsOf,
  type MaintenanceJobs,
  type OperationJobs,
  type QueueName,
} from './queues.js';
