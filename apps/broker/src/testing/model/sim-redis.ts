import type { WantedJob } from '#libs/protocol';

/** Redis with its jobs as the scheduler keeps it: may lose everything, or go back to an old snapshot. */
export class SimRedis {
  private jobs = new Map<string, WantedJob>();
  private snapshot = new Map<string, WantedJob>();
  /** Jobs that were ever there, for those that run once more long after. */
  readonly ever = new Map<string, WantedJob>();

  /** A job with an id that is there already is left alone, as BullMQ does. */
  add(jobs: readonly WantedJob[]): void {
    for (const job of jobs) {
      this.ever.set(job.job_id, job);
      if (!this.jobs.has(job.job_id)) this.jobs.set(job.job_id, job);
    }
  }

  remove(jobId: string): void {
    this.jobs.delete(jobId);
  }

  /** Puts a job back that came too early. */
  delay(jobId: string, dueAt: string): void {
    const job = this.jobs.get(jobId);
    if (job && job.due_at !== null) this.jobs.set(jobId, { ...job, due_at: dueAt });
  }

  all(): WantedJob[] {
    return [...this.jobs.values()];
  }

  /** Jobs that are due at `now` by their own time. */
  due(now: number): WantedJob[] {
    return this.all().filter((job) => job.due_at === null || Date.parse(job.due_at) <= now);
  }

  flush(): void {
    this.jobs = new Map();
  }

  save(): void {
    this.snapshot = new Map(this.jobs);
  }

  restore(): void {
    this.jobs = new Map(this.snapshot);
  }
}
