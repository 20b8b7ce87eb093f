import { Injectable } from '@nestjs/common';

import {
  clip,
  formatDeliveryId,
  formatId,
  isoTime,
  LIMITS,
  type ApprovalKind,
  type ApprovalRow,
  type NeedsYou,
  type NeedsYouKind,
} from '#libs/protocol';

import { HOP_LIMIT_REASON } from '../deliveries/delivery.js';
import { InboxCounts } from '../deliveries/inbox-counts.js';
import { WaitingAtC0re } from '../manager/waiting-at-c0re.js';
import { QuestionsRepository } from '../questions/questions.repository.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { OPERATOR_ID, type Agent } from '../registry/agent.js';
import { ThreadsDb } from '../storage/threads.db.js';

/** Entries of one kind at most, the oldest. */
const MOST = 200;
const TITLE_CHARS = 200;

interface DeadRow {
  message: number;
  recipient: number;
  since: number;
  reason: string | null;
  from_name: string;
  agent: string;
}

interface FailedRow {
  id: number;
  owner: number;
  since: number;
  last_error: string | null;
}

/** What an approval is asked for, in words. */
const WISHES: Record<ApprovalKind, (approval: ApprovalRow) => string> = {
  spawn: ({ agent, requested_by }) => `${requested_by} wants to make ${agent ?? 'an agent'}`,
  init_config: ({ agent, requested_by }) =>
    `${requested_by} wants to begin the config of ${agent ?? 'an agent'}`,
  apply_commit: ({ agent, requested_by, sha }) =>
    `${requested_by} wants to deploy ${sha?.slice(0, 12) ?? 'a commit'} to ${agent ?? 'an agent'}`,
  update_meta_inputs: ({ requested_by, inputs }) =>
    `${requested_by} wants to update ${inputs.length === 0 ? 'all inputs' : inputs.join(', ')}`,
};

/** An entry of which the time is still a number. */
type Entry = Omit<NeedsYou, 'since' | 'key'> & { since: number };

/**
 * What waits for the operator (PRODUCT 7.2), as far as the broker knows it: derived from the rows whenever it is asked
 * for, so it clears itself. Who changes one of its sources says so to the ChangeLog.
 */
@Injectable()
export class NeedsYouList {
  private readonly dead;
  private readonly failed;
  private readonly oldest;

  constructor(
    { db }: ThreadsDb,
    private readonly directory: AgentDirectory,
    private readonly counts: InboxCounts,
    private readonly questions: QuestionsRepository,
    private readonly waiting: WaitingAtC0re,
  ) {
    // Nobody can try a destroyed agent's again.
    this.dead = db.prepare<[number], DeadRow>(
      `SELECT d.message, d.recipient, d.since, d.reason, m.from_name, a.name AS agent
       FROM deliveries AS d INDEXED BY deliveries_dead
         CROSS JOIN agents AS a ON a.id = d.recipient AND a.state <> 'destroyed'
         CROSS JOIN messages AS m ON m.id = d.message
       WHERE d.state = 'dead' ORDER BY d.message LIMIT +?`,
    );
    this.failed = db.prepare<[number], FailedRow>(
      `SELECT id, owner, coalesce(last_attempt_at, ended_at, due_at) AS since, last_error
       FROM reminders INDEXED BY reminders_failed WHERE state = 'failed' ORDER BY id LIMIT +?`,
    );
    this.oldest = db
      .prepare<{ recipient: number; held: number; reason: string }, number | null>(
        `SELECT min(since) FROM deliveries WHERE recipient = +@recipient AND state = 'queued'
           AND ((@held = 1 AND held = 1) OR (priority = 2 AND reason = @reason))`,
      )
      .pluck();
  }

  /** Oldest first; each thing once, under its key. */
  list(): NeedsYou[] {
    const entries = [
      ...this.openQuestions(),
      ...this.pendingApprovals(),
      ...this.failedReminders(),
      ...this.deadDeliveries(),
      ...this.waitingForGoOn(),
    ];
    return entries
      .toSorted((a, b) => a.since - b.since)
      .map(({ kind, id, agent, title, since, count }) => ({
        kind,
        key: `${kind}:${id}`,
        id,
        agent,
        title: clip(title.replaceAll(/\s+/g, ' ').trim(), TITLE_CHARS),
        since: isoTime(since),
        count,
      }));
  }

  private openQuestions(): Entry[] {
    return this.questions.openTo(OPERATOR_ID, MOST).map((question) => ({
      kind: 'question',
      id: formatId('q', question.id),
      agent: this.directory.byId(question.asker)?.name ?? '',
      title: question.question,
      since: question.asked_at,
      count: 1,
    }));
  }

  private pendingApprovals(): Entry[] {
    return this.waiting.approvals.slice(0, MOST).map((approval) => ({
      kind: 'approval',
      id: approval.id,
      agent: approval.agent ?? '',
      title: `${WISHES[approval.kind](approval)}${approval.description === '' ? '' : `: ${approval.description}`}`,
      since: Date.parse(approval.requested_at),
      count: 1,
    }));
  }

  private deadDeliveries(): Entry[] {
    return this.dead.all(MOST).map((row) => ({
      kind: 'dead_delivery',
      id: formatDeliveryId(row.message, row.recipient),
      agent: row.agent,
      title: `a message from ${row.from_name} was given up: ${row.reason ?? 'no reason is known'}`,
      since: row.since,
      count: 1,
    }));
  }

  private failedReminders(): Entry[] {
    return this.failed.all(MOST).flatMap((row) => {
      const owner = this.directory.byId(row.owner);
      if (!owner || owner.state === 'destroyed') return [];
      return {
        kind: 'reminder_failed',
        id: formatId('r', row.id),
        agent: owner.name,
        title: `a reminder could not be delivered: ${row.last_error ?? 'no reason is known'}`,
        since: row.since,
        count: 1,
      };
    });
  }

  /** Agents whose messages wake nobody until the operator says "go on". */
  private waitingForGoOn(): Entry[] {
    const entries: Entry[] = [];
    for (const agent of this.directory.all()) {
      const past = this.counts.pastHops(agent.id);
      const held = this.counts.held(agent.id);
      if (past > 0)
        entries.push(
          this.ofAgent(
            agent,
            'hop_limit',
            past,
            `${messages(past)} past the limit of ${LIMITS.hops} hops`,
          ),
        );
      if (held > 0)
        entries.push(
          this.ofAgent(agent, 'held_cancelled', held, `${messages(held)} of a cancelled turn`),
        );
    }
    return entries;
  }

  private ofAgent(agent: Agent, kind: NeedsYouKind, count: number, what: string): Entry {
    const since = this.oldest.get({
      recipient: agent.id,
      held: kind === 'held_cancelled' ? 1 : 0,
      reason: kind === 'hop_limit' ? HOP_LIMIT_REASON : '',
    });
    const title = `${what}, until you say "go on"`;
    return { kind, id: agent.name, agent: agent.name, title, since: since ?? 0, count };
  }
}

function messages(count: number): string {
  return count === 1 ? '1 message waits' : `${count} messages wait`;
}
