/** Prefix of every key that BullMQ writes (INTERFACES "Queues"). */
export const QUEUE_PREFIX = 'hive';

/** The queues by name. No job id holds a `:` or is an integer: BullMQ refuses both. */
export const QUEUES = {
  reminders: 'reminders',
  broadcasts: 'broadcasts',
  deliveries: 'deliveries',
  operations: 'operations',
  maintenance: 'maintenance',
} as const;
export type QueueName = (typeof QUEUES)[keyof typeof QUEUES];

/** Name of the one job of `reminders`, `broadcasts` and `deliveries`; their data are libs/protocol's. */
export const DUE_JOB = 'due';
export interface DueJobsOf<Data> {
  due: Data;
}

/** Name of the one job of `operations`, whose data hold the id of c0re's row and nothing else (P27). */
export const OPERATION_JOB = 'operation';
export interface OperationJobs {
  operation: { id: string };
}

/** Jobs of the `maintenance` queue; each is made by a job scheduler and carries no data (P27: ids only). */
export interface MaintenanceJobs {
  sweep_leases: Record<string, never>;
  check_wakes: Record<string, never>;
  sweep_retention: Record<string, never>;
}

/** How often each maintenance job runs, in milliseconds. */
export const MAINTENANCE_EVERY_MS: Record<keyof MaintenanceJobs, number> = {
  sweep_leases: 15_000,
  check_wakes: 60_000,
  sweep_retention: 60_000,
};
