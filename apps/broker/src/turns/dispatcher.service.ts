import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import type { Clock, Logger } from '#libs/service';

import { CLOCK, LOGGER } from '../broker.options.js';
import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import { InboxCounts } from '../deliveries/inbox-counts.js';
import { ReceiveService } from '../deliveries/receive.service.js';
import { WakeList } from '../deliveries/wake-list.js';
import { superseded } from '../harness/harness-identity.service.js';
import { Broadcasts } from '../messages/broadcasts.service.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { Writer } from '../storage/writer.service.js';
import { Commands } from './commands.service.js';
import { GrantLimiter } from './grant-limiter.js';
import { RunFences } from './run-fences.js';
import { TurnStarter } from './turn-starter.service.js';
import { WaitingPolls } from './waiting-polls.js';
import { WakeRules } from './wake-rules.service.js';
import { WakeSpread } from './wake-spread.js';

/** Wait before an agent is looked at again for whom nothing could be stored, on a full disk for example. */
const AFTER_FAILURE_MS = 5000;

/**
 * Brings together what waits and who waits for it, at the end of each transaction and inside it: a message and its lease
 * share one fsync (P3). When time alone can change the outcome, it looks again then.
 */
@Injectable()
export class Dispatcher implements OnModuleInit {
  private readonly alarms = new Map<number, { due: number; stop: () => void }>();
  /** Agents that could start a turn but for the hive's limit, with one alarm for all of them. */
  private readonly limited = new Set<number>();
  private limitAlarm = false;
  private grants = 0;

  constructor(
    private readonly writer: Writer,
    private readonly wakes: WakeList,
    private readonly receivers: ReceiveService,
    private readonly polls: WaitingPolls,
    private readonly rules: WakeRules,
    private readonly starter: TurnStarter,
    private readonly directory: AgentDirectory,
    private readonly counts: InboxCounts,
    private readonly commands: Commands,
    private readonly limiter: GrantLimiter,
    private readonly rows: DeliveriesRepository,
    private readonly broadcasts: Broadcasts,
    private readonly spread: WakeSpread,
    fences: RunFences,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    writer.onSettle('hand-out', () => this.settle());
    fences.whenLifted((agent) => this.look(agent));
    spread.whenFree((agent) => this.look(agent));
  }

  /** What was queued before the start is looked at as soon as somebody polls; nothing to do until then. */
  onModuleInit(): void {
    for (const agent of this.counts.recipients()) this.look(agent);
  }

  /** Looks at an agent in a transaction of its own; again later when that could not be stored. Never throws. */
  look(agent: number): void {
    this.writer
      .submit(() => this.wakes.add(agent))
      .catch((error: unknown) => {
        this.logger.error({ err: error }, 'a wake could not be looked at; it is looked at again');
        this.lookAgain(agent, AFTER_FAILURE_MS);
      });
  }

  /** Turns started since the broker started. */
  get started(): number {
    return this.grants;
  }

  private settle(): void {
    const woken = this.wakes.take();
    for (const agent of woken) this.receivers.serve(agent);
    // Only those who wait for a turn are put in order: looking at every inbox would cost each send.
    const polling = woken.filter((agent) => this.polls.of(agent));
    for (const agent of woken) if (!this.polls.of(agent)) this.limited.delete(agent);
    for (const agent of this.inOrder(polling)) this.servePoll(agent);
    if (this.limited.size > 0 && this.limiter.free > 0) this.serveLimited();
    if (this.limited.size > 0) this.lookAtLimited();
  }

  /** When not all can start, urgent messages and the operator's go first (EXECUTIONS H23). */
  private inOrder(agents: number[]): number[] {
    if (agents.length <= 1 || this.limiter.free >= agents.length) return agents;
    const now = this.clock.now();
    const eager = new Set(agents.filter((agent) => this.rows.hasEager(agent, now)));
    return [...agents.filter((id) => eager.has(id)), ...agents.filter((id) => !eager.has(id))];
  }

  private serveLimited(): void {
    const agents = this.inOrder([...this.limited]);
    for (const agent of agents) {
      if (this.limiter.free <= 0) return;
      this.servePoll(agent);
    }
  }

  private servePoll(agentId: number): void {
    const poll = this.polls.of(agentId);
    const agent = poll && this.directory.byId(agentId);
    if (!poll || !agent) {
      this.limited.delete(agentId);
      return;
    }
    const lowest = Math.max(agent.instance, agent.hello_instance, agent.ended_instance + 1);
    if (poll.instance < lowest) {
      this.polls.refusePoll(agentId, () => superseded(poll.instance, lowest));
      return;
    }
    this.broadcasts.writeFor(agentId);
    const look = this.counts.pending(agentId) > 0 ? this.rules.look(agent) : undefined;
    this.limited.delete(agentId);
    if (look?.wake) {
      const answer = this.starter.start(agent, poll, look.wake);
      this.grants += 1;
      this.writer.afterCommit(() => {
        this.polls.remove(poll);
        poll.call.answer(answer);
      });
      return;
    }
    if (look?.waits === 'hive_limit') this.limited.add(agentId);
    if (look?.waits === 'broadcast_rate') this.spread.add(agentId);
    if (look?.lookAgainMs !== undefined) this.lookAgain(agentId, look.lookAgainMs);
    if (poll.atOnce || this.commands.hasNew(agentId)) {
      const commands = this.commands.take(agentId);
      this.writer.afterCommit(() => {
        this.polls.remove(poll);
        poll.call.answer({ turn: null, commands });
      });
    }
  }

  /** Looks at those again when the rate lets one start; the end of a turn does so by itself. */
  private lookAtLimited(): void {
    const { waitMs } = this.limiter;
    if (this.limitAlarm || waitMs === undefined) return;
    this.limitAlarm = true;
    this.clock.after(Math.max(1, waitMs), () => {
      this.limitAlarm = false;
      const [first] = this.limited;
      if (first !== undefined) this.look(first);
    });
  }

  private lookAgain(agent: number, ms: number): void {
    const due = this.clock.monotonic() + ms;
    const planned = this.alarms.get(agent);
    if (planned && planned.due <= due) return;
    planned?.stop();
    const stop = this.clock.after(ms, () => {
      this.alarms.delete(agent);
      this.look(agent);
    });
    this.alarms.set(agent, { due, stop });
  }
}
