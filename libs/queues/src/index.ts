export { redisOptions } from './connection.js';
export {
  MAINTENANCE_EVERY_MS,
  QUEUE_PREFIX,
  QUEUES,
  type MaintenanceJobs,
  type QueueName,
} from './queues.js';
