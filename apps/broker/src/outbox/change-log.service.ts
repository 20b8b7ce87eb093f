import { Injectable } from '@nestjs/common';

import type { NewHiveEvent } from '#libs/protocol';

import { Writer } from '../storage/writer.service.js';
import type { ChangeSet, OutboxRow } from './change-set.js';
import { OutboxRepository } from './outbox.repository.js';

type IdList = Exclude<keyof ChangeSet, 'events' | 'needs_you'>;

/**
 * Collects what a transaction changes and writes it as one outbox row at its end. Called from inside requests only;
 * what was collected by a transaction that is rolled back is forgotten with it.
 */
@Injectable()
export class ChangeLog {
  private readonly ids: Record<IdList, Set<number>> = {
    sent: new Set(),
    deliveries: new Set(),
    agents: new Set(),
    removed: new Set(),
    started: new Set(),
    ended: new Set(),
    questions_added: new Set(),
    questions_resolved: new Set(),
    reminders: new Set(),
  };
  private events: NewHiveEvent[] = [];
  private needsYou = false;
  private readonly listeners: ((row: OutboxRow) => void)[] = [];

  constructor(
    private readonly outbox: OutboxRepository,
    private readonly writer: Writer,
  ) {
    writer.onSettle('outbox', () => this.write());
    writer.onRollback(() => this.forget());
  }

  messageSent(message: number): void {
    this.ids.sent.add(message);
  }

  deliveryChanged(message: number): void {
    this.ids.deliveries.add(message);
  }

  /** Incarnation of an agent; the operator (0) has no row and is passed over. */
  agentChanged(agent: number): void {
    if (agent > 0) this.ids.agents.add(agent);
  }

  agentRemoved(agent: number): void {
    this.ids.removed.add(agent);
  }

  turnStarted(turn: number): void {
    this.ids.started.add(turn);
  }

  turnEnded(turn: number): void {
    this.ids.ended.add(turn);
  }

  questionAdded(question: number): void {
    this.ids.questions_added.add(question);
  }

  questionResolved(question: number): void {
    this.ids.questions_resolved.add(question);
  }

  /** Something came to, or left, what waits for the operator (PRODUCT 7.2). */
  needsYouChanged(): void {
    this.needsYou = true;
  }

  reminderChanged(reminder: number): void {
    this.ids.reminders.add(reminder);
  }

  publish(events: readonly NewHiveEvent[]): void {
    this.events.push(...events);
  }

  /** Calls `listener` after each commit that changed something, with the row as it stands in the outbox. */
  onCommitted(listener: (row: OutboxRow) => void): void {
    this.listeners.push(listener);
  }

  /** Removes relayed rows with the next commit; settles when they are gone. */
  removeThrough(id: number): Promise<number> {
    return this.writer.submitLazily(() => this.outbox.removeThrough(id));
  }

  private write(): void {
    const changes: ChangeSet = {};
    for (const [name, ids] of Object.entries(this.ids) as [IdList, Set<number>][]) {
      if (name === 'deliveries') for (const sent of this.ids.sent) ids.delete(sent);
      if (ids.size > 0) changes[name] = [...ids];
    }
    if (this.events.length > 0) changes.events = this.events;
    if (this.needsYou) changes.needs_you = true;
    this.forget();
    if (Object.keys(changes).length === 0) return;
    const row = { id: this.outbox.insert(changes), changes };
    this.writer.afterCommit(() => {
      for (const listener of this.listeners) listener(row);
    });
  }

  private forget(): void {
    for (const ids of Object.values(this.ids)) ids.clear();
    this.events = [];
    this.needsYou = false;
  }
}
