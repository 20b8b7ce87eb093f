import { Inject, Injectable } from '@nestjs/common';

import {
  formatId,
  HiveError,
  OPERATOR,
  parseId,
  type AgentStats,
  type BrokerDashboardApi,
  type TurnRow,
} from '#libs/protocol';
import { validate } from '#libs/requests';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { NeedsYouList } from '../needs-you/needs-you-list.js';
import { QuestionViews } from '../questions/question-views.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { OPERATOR_ID, type Agent } from '../registry/agent.js';
import { ReminderBoard } from '../reminders/reminder-board.service.js';
import { TelemetryJournal } from '../telemetry/telemetry.journal.js';
import type { UnversionedTurnRow } from '../telemetry/turn-rows.repository.js';
import { LiveTurns } from '../turns/live-turns.js';
import { TurnsRepository } from '../turns/turns.repository.js';
import {
  AgentEventsDto,
  AgentInboxDto,
  AgentStatsDto,
  AgentTurnsDto,
  EVENTS,
  MessagesDto,
  PAGE,
  rowBefore,
  SnapshotDto,
} from './dashboard.dto.js';
import { MessagePages, type MessagePage } from './message-pages.js';
import { pageOf } from './page.js';
import { RowVersion } from './row-version.js';
import { RowViews } from './row-views.js';

/** Turns that the first snapshot shows. */
const SNAPSHOT_TURNS = 100;
/** Turns of an agent whose live events are looked at. */
const EVENT_TURNS = 20;
/** Characters of live events in one answer, about: an answer is one line on the socket. */
const EVENT_CHARS = 4_000_000;

type Params<K extends keyof BrokerDashboardApi> = BrokerDashboardApi[K][0];
type Result<K extends keyof BrokerDashboardApi> = BrokerDashboardApi[K][1];

/** What the operator sees of the broker: the reads of broker-dashboard.sock. Each checks its own parameters. */
@Injectable()
export class DashboardReads {
  constructor(
    private readonly directory: AgentDirectory,
    private readonly rows: RowViews,
    private readonly pages: MessagePages,
    private readonly version: RowVersion,
    private readonly liveTurns: LiveTurns,
    private readonly turns: TurnsRepository,
    private readonly telemetry: TelemetryJournal,
    private readonly questions: QuestionViews,
    private readonly needsYouList: NeedsYouList,
    private readonly reminders: ReminderBoard,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Everything that the page shows first, as it was at one version. */
  snapshot(params: Params<'snapshot'>): Result<'snapshot'> {
    const { messages } = validate(SnapshotDto, params);
    const version = this.version.now();
    const page = this.pages.newest(Number.MAX_SAFE_INTEGER, messages);
    return {
      version,
      agents: this.rows.agents(version),
      messages: page.records.map((record) => this.rows.messageOf(record, version)),
      turns: this.latestTurns(SNAPSHOT_TURNS, version),
      questions: this.questions.newest(version),
      needs_you: this.needsYouList.list(),
      reminders_failed: this.reminders.failed(version),
    };
  }

  /** What waits for the operator now. */
  needsYou(): Result<'needs_you'> {
    return { version: this.version.now(), needs_you: this.needsYouList.list() };
  }

  async messages(params: Params<'messages'>): Promise<Result<'messages'>> {
    const { thread, agent, before, limit = PAGE.usual } = validate(MessagesDto, params);
    const start = rowBefore('m', before);
    if (thread !== undefined && agent !== undefined) {
      throw new HiveError('invalid_request', 'give thread or agent, not both');
    }
    if (thread !== undefined)
      return this.toMessages(this.pages.ofThread(parseId('m', thread) ?? 0, start, limit));
    if (agent !== undefined)
      return this.toMessages(await this.pages.withAgent(this.idOf(agent), start, limit));
    return this.toMessages(this.pages.newest(start, limit));
  }

  async agentInbox(params: Params<'agent_inbox'>): Promise<Result<'agent_inbox'>> {
    const { agent, before, limit = PAGE.usual } = validate(AgentInboxDto, params);
    const id = this.idOf(agent);
    return this.toMessages(await this.pages.toAgent(id, rowBefore('m', before), limit));
  }

  agentTurns(params: Params<'agent_turns'>): Result<'agent_turns'> {
    const { agent, before, limit = PAGE.usual } = validate(AgentTurnsDto, params);
    const { id } = this.agent(agent);
    const start = rowBefore('t', before);
    const version = this.version.now();
    const open = this.openTurns((turn) => turn.agent === id && turn.id < start, version);
    const ended = this.telemetry.reader.turns.ofAgent(id, start, limit + 1);
    const rows = merge(open, withVersion(ended, version));
    const { page: turns, last } = pageOf(rows, limit);
    return { turns, ...(last ? { next: last.turn_id } : {}) };
  }

  agentEvents(params: Params<'agent_events'>): Result<'agent_events'> {
    const { agent, turn_id, limit = EVENTS.usual } = validate(AgentEventsDto, params);
    const { id } = this.agent(agent);
    const turns = turn_id === undefined ? this.newestTurns(id) : this.ownTurn(id, turn_id);
    const events = this.telemetry.reader.events.inTurns(turns, limit, EVENT_CHARS);
    return {
      events: events.map(({ turn_id: turn, event }) => ({ turn_id: formatId('t', turn), event })),
    };
  }

  agentStats(params: Params<'agent_stats'>): Promise<AgentStats> {
    const { agent, window } = validate(AgentStatsDto, params);
    return this.telemetry.reader.stats.ofAgent(this.agent(agent).id, window, this.clock.now());
  }

  private toMessages({ records, next }: MessagePage): Result<'messages'> {
    const version = this.version.now();
    return {
      messages: records.map((record) => this.rows.messageOf(record, version)),
      ...(next === undefined ? {} : { next: formatId('m', next) }),
    };
  }

  private latestTurns(limit: number, version: number): TurnRow[] {
    const ended = this.telemetry.reader.turns.latest(limit);
    return merge(
      this.openTurns(() => true, version),
      withVersion(ended, version),
    ).slice(0, limit);
  }

  /** Turns that telemetry.db has no row of: the live ones, and those that ended this moment. */
  private openTurns(
    wanted: (turn: { id: number; agent: number }) => boolean,
    version: number,
  ): TurnRow[] {
    return [...this.liveTurns.all(), ...this.turns.unjournaled(PAGE.most)]
      .filter(wanted)
      .flatMap(({ id }) => this.rows.turn(id, version) ?? []);
  }

  private newestTurns(agent: number): number[] {
    const live = this.liveTurns.of(agent);
    const ended = this.telemetry.reader.turns.idsOfAgent(agent, EVENT_TURNS);
    return live ? [live.id, ...ended] : ended;
  }

  private ownTurn(agent: number, turnId: string): number[] {
    const id = parseId('t', turnId);
    // The broker's own row of it may be past its term while its events are kept.
    const owner = id && (this.turns.find(id)?.agent ?? this.telemetry.reader.turns.agentOf(id));
    if (id === undefined || owner !== agent)
      throw new HiveError('not_found', `${turnId} is not a turn of this agent`);
    return [id];
  }

  private idOf(name: string): number {
    return name === OPERATOR ? OPERATOR_ID : this.agent(name).id;
  }

  /** The living agent of that name, else the last one that had it. */
  private agent(name: string): Agent {
    const found = this.directory.byLastName(name);
    if (!found) throw new HiveError('not_found', `there is no agent "${name}"`);
    return found;
  }
}

function withVersion(rows: UnversionedTurnRow[], version: number): TurnRow[] {
  return rows.map((row) => Object.assign(row, { version }));
}

/** Both lists as one, newest first, each turn once as the first list has it. */
function merge(first: readonly TurnRow[], second: readonly TurnRow[]): TurnRow[] {
  const byId = new Map<string, TurnRow>();
  for (const row of [...first, ...second]) if (!byId.has(row.turn_id)) byId.set(row.turn_id, row);
  return [...byId.values()].toSorted(
    (a, b) => (parseId('t', b.turn_id) ?? 0) - (parseId('t', a.turn_id) ?? 0),
  );
}
