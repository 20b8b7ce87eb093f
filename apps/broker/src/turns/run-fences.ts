import { Injectable } from '@nestjs/common';

import { GatewayLinks } from '../links/gateway-links.js';
import { Writer } from '../storage/writer.service.js';

/**
 * Agents to whom nothing is leased until every gateway has closed a revoked run of theirs: else an answer on its way to
 * the old CLI could carry what the new one is given (P4, EXECUTIONS H9).
 */
@Injectable()
export class RunFences {
  private readonly raised = new Map<number, number>();
  private readonly waiting = new Map<number, (() => void)[]>();
  private tentative: number[] = [];
  private onLifted: (agent: number) => void = () => {};

  constructor(
    private readonly links: GatewayLinks,
    private readonly writer: Writer,
  ) {
    writer.onRollback(() => {
      for (const agent of this.tentative.splice(0)) this.lower(agent);
    });
  }

  /** Calls `listener` when an agent may be leased to again. */
  whenLifted(listener: (agent: number) => void): void {
    this.onLifted = listener;
  }

  has(agent: number): boolean {
    return this.raised.has(agent);
  }

  /** Inside the request that revokes the run. */
  raise(agent: number, credential: string): void {
    this.raised.set(agent, (this.raised.get(agent) ?? 0) + 1);
    this.tentative.push(agent);
    this.writer.afterCommit(() => {
      this.tentative = [];
      if (this.links.size === 0) this.lower(agent);
      else void this.links.closeRun(credential).then(() => this.lower(agent));
    });
  }

  /** Settles when the agent has no fence. */
  async lifted(agent: number): Promise<void> {
    if (!this.has(agent)) return;
    await new Promise<void>((resolve) => {
      this.waiting.set(agent, [...(this.waiting.get(agent) ?? []), resolve]);
    });
  }

  private lower(agent: number): void {
    const left = (this.raised.get(agent) ?? 0) - 1;
    if (left > 0) {
      this.raised.set(agent, left);
      return;
    }
    this.raised.delete(agent);
    for (const resolve of this.waiting.get(agent) ?? []) resolve();
    this.waiting.delete(agent);
    this.onLifted(agent);
  }
}
