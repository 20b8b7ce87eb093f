import { Injectable } from '@nestjs/common';

import {
  formatId,
  HiveError,
  parseDeliveryId,
  parseId,
  type AgentRow,
  type CommandKind,
  type MessageRow,
  type Repeatable,
} from '#libs/protocol';

import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import { Deliveries } from '../deliveries/deliveries.service.js';
import { HOP_LIMIT_REASON, PURGED_REASON } from '../deliveries/delivery.js';
import { WakeList } from '../deliveries/wake-list.js';
import { HeartbeatService } from '../harness/heartbeat.service.js';
import { Broadcasts } from '../messages/broadcasts.service.js';
import { MessagesRepository } from '../messages/messages.repository.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { OPERATOR_ID, type Agent } from '../registry/agent.js';
import { RequestLog } from '../requests/request-log.service.js';
import { Writer } from '../storage/writer.service.js';
import { Commands } from '../turns/commands.service.js';
import { LiveTurns } from '../turns/live-turns.js';
import { RowVersion } from '../views/row-version.js';
import { RowViews } from '../views/row-views.js';

export interface AskedCommand extends Partial<Repeatable> {
  agent: string;
  kind: CommandKind;
  model?: string;
  discard?: boolean;
}

/** What the operator does beside writing messages: read, command, go on. */
@Injectable()
export class OperatorService {
  constructor(
    private readonly writer: Writer,
    private readonly requests: RequestLog,
    private readonly directory: AgentDirectory,
    private readonly turns: LiveTurns,
    private readonly commands: Commands,
    private readonly heartbeats: HeartbeatService,
    private readonly deliveries: Deliveries,
    private readonly rows: DeliveriesRepository,
    private readonly messages: MessagesRepository,
    private readonly broadcasts: Broadcasts,
    private readonly changes: ChangeLog,
    private readonly wakes: WakeList,
    private readonly views: RowViews,
    private readonly version: RowVersion,
  ) {}

  /** A message to the operator was read (P19). */
  async markRead(id: string): Promise<{ message: MessageRow }> {
    const message = await this.writer.submit(() => {
      const number = parseId('m', id) ?? 0;
      const row = this.rows.find(number, OPERATOR_ID);
      if (!row) throw new HiveError('not_found', `${id} is not a message to the operator`);
      if (row.state === 'queued') this.deliveries.ack(row);
      return number;
    });
    return this.messageRow(message);
  }

  /** A dead delivery is queued once more, its attempts counted afresh (PRODUCT 1.2). */
  async retry({
    id,
    request_id,
  }: Partial<Repeatable> & { id: string }): Promise<{ message: MessageRow }> {
    const message = await this.writer.submit(() =>
      this.requests.onceForOperator('retry_delivery', request_id, () => this.queueAgain(id)),
    );
    return this.messageRow(message);
  }

  /** Queues a command for the agent's harness; it takes it with its next heartbeat or poll (P18). */
  async command(asked: AskedCommand): Promise<{ id: string }> {
    return this.writer.submit(() =>
      this.requests.onceForOperator('command', asked.request_id, () => this.addCommand(asked)),
    );
  }

  /** "Go on": what was held after a cancel, for a budget or past the hop limit may wake the agent again (P17, P20). */
  async release(name: string): Promise<{ agent: AgentRow }> {
    const id = await this.writer.submit(() => {
      const agent = this.living(name);
      // One past the hop limit would otherwise be written as such after the click.
      this.broadcasts.writeFor(agent.id);
      this.deliveries.release(agent.id);
      for (const message of this.deliveries.raise(agent.id, HOP_LIMIT_REASON))
        this.messages.resetHop(message);
      const turn_state = this.turns.of(agent.id) ? agent.turn_state : 'idle';
      this.directory.update(agent, { parked_until: 0, park_streak: 0, turn_state });
      this.changes.agentChanged(agent.id);
      this.wakes.add(agent.id);
      return agent.id;
    });
    const agent = this.views.agent(id, this.version.now());
    if (!agent) throw new HiveError('not_found', `there is no agent "${name}"`);
    return { agent };
  }

  private queueAgain(id: string): number {
    const named = parseDeliveryId(id);
    const row = named && this.rows.find(named.message, named.recipient);
    if (!row) throw new HiveError('not_found', `there is no delivery ${id}`);
    if (row.state !== 'dead') {
      throw new HiveError('conflict', `the delivery ${id} is ${row.state}, not dead`);
    }
    const agent = this.directory.byId(row.recipient);
    if (!agent || agent.state === 'destroyed') {
      throw new HiveError(
        'conflict',
        row.reason === PURGED_REASON
          ? `the recipient of ${id} was removed for good; nobody can read it any more`
          : `the recipient of ${id} was destroyed; revive it first`,
      );
    }
    this.deliveries.revive(row);
    return row.message;
  }

  private addCommand({ agent: name, kind, model, discard }: AskedCommand): { id: string } {
    const agent = this.living(name);
    if (agent.driver === 'external')
      throw new HiveError('conflict', `"${name}" is external: it has no harness to command`);
    if ((kind === 'model') !== (model !== undefined)) {
      throw new HiveError(
        'invalid_request',
        'give a model with the command "model", and with no other',
      );
    }
    const turn = kind === 'cancel' ? this.cancel(agent, discard === true) : null;
    const id = this.commands.add({ agent: agent.id, turn, kind, model, discard });
    this.wakes.add(agent.id);
    this.writer.afterCommit(() => this.heartbeats.wake(agent.id));
    return { id };
  }

  private messageRow(id: number): { message: MessageRow } {
    const message = this.views.message(id, this.version.now());
    if (!message) throw new HiveError('not_found', `${formatId('m', id)} is no longer kept`);
    return { message };
  }

  private cancel(agent: Agent, discard: boolean): number {
    const turn = this.turns.of(agent.id);
    if (!turn)
      throw new HiveError('conflict', `"${agent.name}" has no running turn; nothing to cancel`);
    this.turns.update(turn, { cancel: discard ? 2 : 1 });
    this.changes.agentChanged(agent.id);
    return turn.id;
  }

  private living(name: string): Agent {
    const agent = this.directory.byName(name);
    if (!agent) throw new HiveError('not_found', `there is no agent "${name}"`);
    return agent;
  }
}
