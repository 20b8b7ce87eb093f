import {
  clip,
  LIMITS,
  parseId,
  type EndRequest,
  type HarnessCommand,
  type HarnessConfig,
  type ResultKind,
  type TurnGrant,
} from '#libs/protocol';

import type { RunCredential } from '../drivers/run-credential.js';
import type { InterruptReason, LiveTurn, TurnDriver, TurnOutcome } from '../drivers/turn-driver.js';
import { writeSpilledBody } from '../files/spilled-body.js';
import type { HiveClient } from '../gateway/hive-client.js';
import { InstanceSuperseded, type Retries } from '../gateway/retries.js';
import { reasonOf, type Log } from '../logging/log.js';
import { newNonce, wakePrompt } from '../prompt/wake-prompt.js';
import type { EndStore } from '../reports/end-store.js';
import type { EventJournal } from '../reports/event-journal.js';
import { redacted, redactor, secretValues, type NewEvent } from '../reports/event-text.js';
import type { Clock } from '../time/clock.js';
import type { CommandInbox } from './command-inbox.js';
import { Heartbeat } from './heartbeat.js';

export interface TurnRunnerOptions {
  client: Pick<HiveClient, 'heartbeat'>;
  retries: Retries;
  inbox: CommandInbox;
  ends: EndStore;
  journal: EventJournal;
  clock: Clock;
  log: Log;
  instance: number;
  /** The agent's state folder: what is too long for a prompt is written below it (P23). */
  stateDir: string;
  /** Commands that are not about the running turn. */
  onCommand: (command: HarnessCommand) => void;
  /** A newer instance is there. */
  onSuperseded: (error: InstanceSuperseded) => void;
}

/** Live events that are still unsent when the CLI is done are given this long before the end is sent anyway. */
const LAST_EVENTS_MS = 3000;

/** Result kinds of turns that were ended early. A stop is no cancel of the operator's: the hive holds nothing (P17). */
const ENDED_EARLY: Record<InterruptReason, { kind: ResultKind; note: string }> = {
  cancelled: { kind: 'cancelled', note: 'cancelled by the operator' },
  timed_out: { kind: 'timed_out', note: 'the turn was over its time limit' },
  stopped: { kind: 'cancelled', note: 'the harness was stopped' },
  superseded: { kind: 'failed', note: 'the hive had taken the turn back' },
};

/** Runs one granted turn: prompt, heartbeats, live events, time limit, and its result on disk. */
export class TurnRunner {
  private live: LiveTurn | undefined;
  private endedBy: InterruptReason | undefined;

  constructor(private readonly options: TurnRunnerOptions) {}

  get isRunning(): boolean {
    return this.live !== undefined;
  }

  /** Ends the running turn early; the first reason counts. */
  interrupt(reason: InterruptReason): void {
    if (!this.live) return;
    this.endedBy ??= reason;
    this.live.interrupt(reason);
  }

  /** Returns the result, which is on disk by then; undefined when the turn has to be begun again. */
  async run(
    grant: TurnGrant,
    config: HarnessConfig,
    credential: RunCredential,
    driver: TurnDriver,
  ): Promise<EndRequest | undefined> {
    const { clock, journal, log, instance, ends } = this.options;
    const spilled = this.spill(grant, config.model);
    if ('end' in spilled) return spilled.end;
    const began = { at: clock.now(), monotonic: clock.monotonic() };
    const prompt = wakePrompt(grant, newNonce(), spilled.files);
    const events = journal.open(grant.turn_id);
    const redact = redactor([credential.token, ...secretValues(config.env)]);
    const emit = (event: NewEvent) => events.emit(redacted(event, redact));
    const endOf = (outcome: TurnOutcome) => this.endOf(outcome, began, instance);
    log.info('turn started', { turn_id: grant.turn_id, messages: grant.messages.map((m) => m.id) });
    emit({ kind: 'prompt', text: prompt });

    this.endedBy = undefined;
    const heartbeat = this.beat(grant.turn_id);
    this.live = driver.start({
      turnId: grant.turn_id,
      prompt,
      promptIds: grant.messages.map((message) => message.id),
      config,
      credential,
      emit,
      onState: (state) => heartbeat.show(state),
      onSettled: (outcome) => ends.save(grant.turn_id, endOf(outcome)),
    });
    const limit = new AbortController();
    void this.limit(config.turn_seconds, limit.signal);
    const outcome = await this.live.outcome;
    this.live = undefined;
    limit.abort();
    await heartbeat.stop();

    // Once only: a CLI that dies each time is the turn's failure.
    if (outcome.kind === 'unstarted' && !grant.again) {
      log.warn('the CLI had died; the turn begins again', { reason: outcome.note });
      await events.finish();
      return undefined;
    }
    const end = endOf(outcome);
    ends.save(grant.turn_id, end);
    log.info('turn ended', {
      turn_id: grant.turn_id,
      result_kind: end.result_kind,
      duration_ms: end.telemetry.duration_ms,
      ...(end.note === '' ? {} : { note: redact(end.note) }),
    });
    // The hive shows events under a live turn; one that is away gets them later.
    await Promise.race([events.finish(), clock.sleep(LAST_EVENTS_MS)]);
    return end;
  }

  /** The result of a turn that was cancelled before it began: no CLI saw it. It is on disk when this returns. */
  cancelled(grant: TurnGrant, model: string | null): EndRequest {
    const { clock, ends, instance, log } = this.options;
    this.endedBy = 'cancelled';
    const now = { at: clock.now(), monotonic: clock.monotonic() };
    const end = this.endOf(notBegun(model), now, instance);
    ends.save(grant.turn_id, end);
    log.info('turn cancelled before it began', { turn_id: grant.turn_id });
    return end;
  }

  /** Writes the bodies that belong into files; a turn whose file cannot be written fails without a CLI. */
  private spill(
    grant: TurnGrant,
    model: string | null,
  ): { files: Map<string, string> } | { end: EndRequest } {
    const { clock, ends, instance, log, stateDir } = this.options;
    const files = new Map<string, string>();
    for (const { id, reminder, body } of grant.messages) {
      if (reminder?.file_path === undefined) continue;
      try {
        writeSpilledBody(stateDir, reminder.file_path, body);
        files.set(id, `${stateDir}/${reminder.file_path}`);
      } catch (error) {
        const note = `the body of ${id} cannot be written to ${reminder.file_path}: ${reasonOf(error)}`;
        const now = { at: clock.now(), monotonic: clock.monotonic() };
        const end = this.endOf({ ...notBegun(model), kind: 'failed', note }, now, instance);
        ends.save(grant.turn_id, end);
        log.warn('a turn failed before it began', { turn_id: grant.turn_id, reason: note });
        return { end };
      }
    }
    return { files };
  }

  private async limit(seconds: number, ended: AbortSignal): Promise<void> {
    await this.options.clock.sleep(seconds * 1000, ended);
    if (!ended.aborted) this.interrupt('timed_out');
  }

  private beat(turnId: string): Heartbeat {
    const { client, retries, inbox, instance, log, onCommand, onSuperseded } = this.options;
    return new Heartbeat({
      client,
      retries,
      inbox,
      instance,
      turnId,
      onCommand: (command) => {
        if (command.kind === 'cancel') this.interrupt('cancelled');
        else onCommand(command);
      },
      onBack: () => this.live?.reconnect(),
      onLost: (error) => {
        log.warn('the hive took the turn back', { turn_id: turnId, reason: reasonOf(error) });
        if (error instanceof InstanceSuperseded) onSuperseded(error);
        this.interrupt('superseded');
      },
    });
  }

  private endOf(
    outcome: TurnOutcome,
    began: { at: number; monotonic: number },
    instance: number,
  ): EndRequest {
    const { clock } = this.options;
    const { kind, note } =
      outcome.kind === 'interrupted'
        ? ENDED_EARLY[this.endedBy ?? 'stopped']
        : { kind: outcome.kind === 'unstarted' ? 'failed' : outcome.kind, note: '' };
    const calls = Object.values(outcome.tool_calls).reduce((sum, count) => sum + count, 0);
    return {
      instance,
      result_kind: kind,
      shown: outcome.shown?.filter((id) => parseId('m', id) !== undefined) ?? null,
      note: clip([note, outcome.note].filter(Boolean).join('; '), LIMITS.note_chars),
      telemetry: {
        started_at: new Date(began.at).toISOString(),
        ended_at: new Date(clock.now()).toISOString(),
        duration_ms: Math.round(clock.monotonic() - began.monotonic),
        ...outcome.usage,
        tool_call_count: calls,
        tool_call_breakdown: outcome.tool_calls,
        bytes_streamed: outcome.bytes_streamed,
      },
    };
  }
}

function notBegun(model: string | null): TurnOutcome {
  return {
    kind: 'interrupted',
    note: 'before it began',
    shown: [],
    usage: {
      model,
      input_tokens: 0,
      output_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
      context_tokens: null,
      cost_usd: 0,
    },
    tool_calls: {},
    bytes_streamed: 0,
  };
}
