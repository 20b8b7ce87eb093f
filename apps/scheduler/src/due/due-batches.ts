import type { JobOutcome } from '#libs/protocol';

/** Jobs in one call to the broker: one transaction's worth. */
const MOST = 500;

interface Entry<Data> {
  data: Data;
  resolve: (outcome: JobOutcome) => void;
  reject: (error: unknown) => void;
}

/**
 * Puts jobs that come due together into one call: while a call is under way the next ones gather (PRODUCT 1.7).
 * `jobId` is how the answer names a job.
 */
export class DueBatches<Data> {
  private waiting: Entry<Data>[] = [];
  private working = false;

  constructor(
    private readonly jobId: (data: Data) => string,
    private readonly call: (jobs: Data[]) => Promise<{ outcomes: JobOutcome[] }>,
  ) {}

  /** What became of this job; rejects when its call failed. */
  settle(data: Data): Promise<JobOutcome> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ data, resolve, reject });
      if (!this.working) void this.work();
    });
  }

  private async work(): Promise<void> {
    this.working = true;
    // Jobs of the same moment come in one turn of the event loop, or a few.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) await this.send(this.waiting.splice(0, MOST));
    this.working = false;
  }

  private async send(batch: Entry<Data>[]): Promise<void> {
    try {
      const { outcomes } = await this.call(batch.map((entry) => entry.data));
      const byId = new Map(outcomes.map((outcome) => [outcome.job_id, outcome]));
      for (const { data, resolve, reject } of batch) {
        const outcome = byId.get(this.jobId(data));
        if (outcome) resolve(outcome);
        else reject(new Error(`the broker said nothing of ${this.jobId(data)}`));
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
