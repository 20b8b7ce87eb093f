import { Inject, Injectable } from '@nestjs/common';

import {
  assertStorableText,
  clip,
  formatId,
  HiveError,
  isoTime,
  LIMITS,
  MANAGER,
  parseId,
  utf8Bytes,
  type BrokerGatewayApi,
  type Caller,
  type InSession,
  type OwnReminder,
  type Repeatable,
} from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { OutgoingMessages } from '../messages/outgoing.service.js';
import { agentSender } from '../messages/sender.js';
import type { Agent } from '../registry/agent.js';
import { Credentials, type AgentCaller } from '../registry/credentials.service.js';
import { RequestLog } from '../requests/request-log.service.js';
import { Writer } from '../storage/writer.service.js';
import { dueTime } from './due-time.js';
import { assertFilePath } from './file-path.js';
import { ReminderCounts } from './reminder-counts.js';
import { ReminderRates } from './reminder-rates.js';
import { ReminderSteps } from './reminder-steps.service.js';
import type { ReminderRecord } from './reminder.js';
import { RemindersRepository } from './reminders.repository.js';
import { checkedRepetition } from './schedule.js';

/** Characters of a reminder's text in a list. */
const LISTED_CHARS = 1000;

type Params<K extends keyof BrokerGatewayApi> = BrokerGatewayApi[K][0];
type Result<K extends keyof BrokerGatewayApi> = BrokerGatewayApi[K][1];

/** What agents do with their reminders (PRODUCT 3.1 to 3.3). */
@Injectable()
export class Reminders {
  constructor(
    private readonly writer: Writer,
    private readonly credentials: Credentials,
    private readonly requests: RequestLog,
    private readonly rows: RemindersRepository,
    private readonly steps: ReminderSteps,
    private readonly counts: ReminderCounts,
    private readonly rates: ReminderRates,
    private readonly outgoing: OutgoingMessages,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Settles when the reminder is on disk. Throws `rate_limited` with the limit and when a slot frees. */
  async remind(params: Params<'remind'>): Promise<Result<'remind'>> {
    return this.repeatable('remind', params, (caller) => {
      const now = this.clock.now();
      assertText(params.message);
      if (params.file_path !== undefined) assertFilePath(params.file_path);
      const due_at = dueTime(params, now);
      const repetition = checkedRepetition(params.every, params.every_tz, due_at);
      this.assertRoom(caller.agent);
      this.rates.take(caller.agent);
      const id = this.steps.create({
        owner: caller.agent.id,
        message: params.message,
        file_path: params.file_path ?? null,
        hop: Math.max(0, this.outgoing.hopOf(agentSender(caller.agent, caller.turn)) - 1),
        every: repetition?.every ?? null,
        every_tz: repetition?.every_tz ?? null,
        due_at,
        created_at: now,
      });
      const answer = { id: formatId('r', id), due_at: isoTime(due_at) };
      const spilled = this.spill(id, params);
      return spilled === undefined ? answer : { ...answer, note: spilled };
    });
  }

  /** The caller's that are pending, paused or failed, oldest first; long texts cut. */
  list({ credential }: Caller): Result<'list_my_reminders'> {
    const { agent } = this.credentials.caller(credential);
    return { reminders: this.rows.restingOf(agent.id).map(ownReminder) };
  }

  /** Cancels one of the caller's own, or as the manager anybody's; the answer says the state of one that was over before. */
  async cancel(params: Params<'cancel_reminder'>): Promise<Result<'cancel_reminder'>> {
    return this.repeatable('cancel_reminder', params, ({ agent }) => {
      const row = this.rows.find(parseId('r', params.id) ?? 0);
      const isManager = agent.role === MANAGER;
      if (!row || (row.owner !== agent.id && !isManager)) {
        throw new HiveError(
          'not_found',
          isManager
            ? 'there is no such reminder; get_open_threads with scope "hive" shows their ids'
            : 'there is no such reminder of yours; list_my_reminders shows their ids',
        );
      }
      const isOver = row.state === 'delivered' || row.state === 'cancelled';
      if (!isOver) this.steps.enter(row, 'cancelled');
      return { id: formatId('r', row.id), state: isOver ? row.state : 'cancelled' };
    });
  }

  private repeatable<T>(
    method: string,
    { credential, request_id, session }: Caller & Repeatable & InSession,
    work: (caller: AgentCaller) => T,
  ): Promise<T> {
    return this.writer.submit(() => {
      const caller = this.credentials.caller(credential);
      const repeated = this.requests.repeated(request_id, method, caller.agent.id);
      if (repeated) return JSON.parse(repeated.answer) as T;
      const answer = work(caller);
      const turn = caller.turn?.id ?? null;
      this.requests.remember(
        { id: request_id, method, caller: caller.agent.id, turn, session },
        answer,
      );
      return answer;
    });
  }

  /** A long body, or one with a path, is written to a file at delivery (P23). Returns what to tell the agent. */
  private spill(
    id: number,
    { message, file_path }: Pick<Params<'remind'>, 'message' | 'file_path'>,
  ): string | undefined {
    if (file_path === undefined && utf8Bytes(message) <= LIMITS.body_bytes) return undefined;
    const path = file_path ?? `reminders/${formatId('r', id)}.md`;
    if (file_path === undefined) this.rows.setFilePath(id, path);
    return `when it is due, the text is written to ${path} below your state folder and the reminder names that file`;
  }

  private assertRoom(agent: Agent): void {
    const limit = agent.reminders_pending;
    if (this.counts.waiting(agent.id) >= limit) {
      const frees = this.rows.soonestEnd(agent.id);
      throw new HiveError(
        'rate_limited',
        `you have ${limit} reminders waiting, the limit; cancel one, ${frees === undefined ? 'for none of them ends by itself' : `or wait: the next one is delivered and frees its slot at ${isoTime(frees)}`}`,
        { limit, ...(frees === undefined ? {} : { frees_at: isoTime(frees) }) },
      );
    }
    const wait = this.rates.waitMs(agent);
    if (wait === 0) return;
    const seconds = Math.ceil(wait / 1000);
    throw new HiveError(
      'rate_limited',
      `you may make ${agent.reminders_per_hour} reminders an hour and ${agent.reminder_burst} at once, the limit; ${Number.isFinite(seconds) ? `a slot frees in ${seconds} seconds` : 'no slot frees'}`,
      {
        limit: agent.reminders_per_hour,
        burst: agent.reminder_burst,
        ...(Number.isFinite(seconds) ? { retry_after_seconds: seconds } : {}),
      },
    );
  }
}

function assertText(message: string): void {
  if (message.length === 0)
    throw new HiveError('invalid_request', 'message is empty; write what to remind you of');
  assertStorableText(message, 'message');
  const bytes = utf8Bytes(message);
  if (bytes <= LIMITS.reminder_bytes) return;
  throw new HiveError(
    'body_too_long',
    `message is ${bytes} bytes of UTF-8, the limit is ${LIMITS.reminder_bytes}; put the text in a file under your state folder and name its path`,
    { bytes, limit: LIMITS.reminder_bytes },
  );
}

function ownReminder(row: ReminderRecord): OwnReminder {
  return {
    id: formatId('r', row.id),
    message: clip(row.message, LISTED_CHARS),
    due_at: isoTime(row.due_at),
    ...(row.every === null ? {} : { every: row.every }),
    state: row.state,
    attempt_count: row.attempt_count,
    ...(row.last_error === null ? {} : { last_error: row.last_error }),
  };
}
