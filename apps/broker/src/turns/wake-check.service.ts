import { Injectable } from '@nestjs/common';

import { InboxCounts } from '../deliveries/inbox-counts.js';
import { WakeList } from '../deliveries/wake-list.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { Writer } from '../storage/writer.service.js';
import { Dispatcher } from './dispatcher.service.js';
import { WaitingPolls } from './waiting-polls.js';
import { WakeRules } from './wake-rules.service.js';

/** `check_wakes`: looks at every inbox in which something waits, in case a timer or an event was missed (P15). */
@Injectable()
export class WakeCheck {
  constructor(
    private readonly writer: Writer,
    private readonly counts: InboxCounts,
    private readonly wakes: WakeList,
    private readonly dispatcher: Dispatcher,
    private readonly directory: AgentDirectory,
    private readonly polls: WaitingPolls,
    private readonly rules: WakeRules,
  ) {}

  /**
   * `queued`: deliveries that wait for agents. `woken`: turns that this check started. `stuck`: deliveries that could
   * start a turn now, of agents whose harness does not ask for one.
   */
  async check(): Promise<{ queued: number; woken: number; stuck: number }> {
    const agents = this.counts.recipients().filter((id) => id > 0);
    const before = this.dispatcher.started;
    await this.writer.submit(() => {
      for (const agent of agents) this.wakes.add(agent);
    });
    return {
      queued: agents.reduce((sum, agent) => sum + this.counts.queued(agent), 0),
      woken: this.dispatcher.started - before,
      stuck: agents.reduce((sum, agent) => sum + this.stuck(agent), 0),
    };
  }

  private stuck(id: number): number {
    const agent = this.directory.byId(id);
    if (!agent || agent.driver === 'external' || this.polls.of(id)) return 0;
    return this.rules.look(agent).wake ? this.counts.pending(id) : 0;
  }
}
