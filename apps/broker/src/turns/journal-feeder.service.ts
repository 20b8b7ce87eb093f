import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import type { TurnTelemetry } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { CLOCK, LOGGER } from '../broker.options.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { Writer } from '../storage/writer.service.js';
import { TurnJournal, type EndedTurn } from './turn-journal.js';
import type { TurnRecord } from './turn.js';
import { TurnsRepository } from './turns.repository.js';

/** Turns given to the journal at once. */
const BATCH = 100;
/** Wait before the journal is tried again after it failed, in milliseconds. */
const RETRY_MS = 5000;

/** Gives ended turns to the journal after their commit, and again at the start when a crash came between. */
@Injectable()
export class JournalFeeder implements OnModuleInit {
  private running = false;
  private again = false;

  constructor(
    private readonly writer: Writer,
    private readonly rows: TurnsRepository,
    private readonly directory: AgentDirectory,
    changes: ChangeLog,
    private readonly journal: TurnJournal,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    changes.onCommitted(({ changes: { ended } }) => {
      if (ended) this.feed();
    });
  }

  onModuleInit(): void {
    this.feed();
  }

  private feed(): void {
    this.again = true;
    if (this.running) return;
    this.running = true;
    this.drain(this.journal)
      .catch((error: unknown) => {
        this.logger.error({ err: error }, 'telemetry.db did not take ended turns; trying again');
        this.clock.after(RETRY_MS, () => this.feed());
      })
      .finally(() => {
        this.running = false;
      });
  }

  private async drain(journal: TurnJournal): Promise<void> {
    while (this.again) {
      this.again = false;
      const turns = this.rows.unjournaled(BATCH);
      if (turns.length === 0) return;
      await journal.record(turns.map((turn) => this.entry(turn)));
      await this.writer.submitLazily(() => {
        for (const turn of turns)
          if (turn.ended_by) this.rows.markJournaled(turn.id, turn.ended_by);
      });
      if (turns.length === BATCH) this.again = true;
    }
  }

  private entry(turn: TurnRecord): EndedTurn {
    return {
      id: turn.id,
      agent_id: turn.agent,
      agent: this.directory.byId(turn.agent)?.name ?? '',
      started_at: turn.started_at,
      ended_at: turn.ended_at ?? turn.started_at,
      wake_reason: turn.wake_reason,
      wake_from: turn.wake_from,
      thread: turn.thread,
      reminder: turn.reminder,
      attempt: turn.attempt,
      result_kind: turn.result_kind ?? 'failed',
      note: turn.note,
      telemetry: turn.telemetry === null ? null : (JSON.parse(turn.telemetry) as TurnTelemetry),
    };
  }
}
