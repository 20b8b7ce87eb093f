import { Injectable } from '@nestjs/common';

/** Work on one agent runs one after the other, in the order in which it was asked for; different agents do not wait. */
@Injectable()
export class AgentLocks {
  private readonly tails = new Map<number, Promise<unknown>>();

  async run<T>(agentId: number, work: () => Promise<T>): Promise<T> {
    const before = this.tails.get(agentId) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.tails.set(agentId, mine);
    try {
      return await mine;
    } finally {
      if (this.tails.get(agentId) === mine) this.tails.delete(agentId);
    }
  }

  /** Settles when all work asked for so far has ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.tails.values());
  }
}
