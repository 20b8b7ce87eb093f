import { Inject, Injectable } from '@nestjs/common';

import type { CallSignal } from '#libs/ipc';
import {
  formatId,
  HiveError,
  type InSession,
  type Message,
  type RecvResult,
  type Repeatable,
} from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { ParkedCall } from '../links/parked-call.js';
import { Broadcasts } from '../messages/broadcasts.service.js';
import { toMessage } from '../messages/message.js';
import { MessagesRepository } from '../messages/messages.repository.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import type { Agent } from '../registry/agent.js';
import { Credentials } from '../registry/credentials.service.js';
import { RequestLog, type AnsweredRequest } from '../requests/request-log.service.js';
import { Writer } from '../storage/writer.service.js';
import { LiveTurns } from '../turns/live-turns.js';
import { RunFences } from '../turns/run-fences.js';
import { isAlone, type LiveTurn } from '../turns/turn.js';
import { DeliveriesRepository } from './deliveries.repository.js';
import { Deliveries } from './deliveries.service.js';
import type { DeliveryRecord, Holder } from './delivery.js';
import { InboxCounts } from './inbox-counts.js';
import { Picker } from './picker.service.js';
import { WaitingReceivers, type WaitingReceiver } from './waiting-receivers.js';

export type RecvParams = { credential: string; max: number; wait_ms: number } & Repeatable &
  InSession;

/** Stored answer of a `recv`: each hand-out as message and its number. */
type HandOuts = [message: number, handOut: number][];

/** Who receives: an agent in its turn, or a bare client in its session. */
interface Receiver {
  agent: Agent;
  turn: LiveTurn | undefined;
  session: string;
}

/** `recv` and `recv_batch`: hands messages to CLIs in their turn and to bare clients (P1, P3, P12). */
@Injectable()
export class ReceiveService {
  constructor(
    private readonly writer: Writer,
    private readonly credentials: Credentials,
    private readonly directory: AgentDirectory,
    private readonly requests: RequestLog,
    private readonly messages: MessagesRepository,
    private readonly deliveries: Deliveries,
    private readonly rows: DeliveriesRepository,
    private readonly counts: InboxCounts,
    private readonly picker: Picker,
    private readonly broadcasts: Broadcasts,
    private readonly turns: LiveTurns,
    private readonly fences: RunFences,
    private readonly waiting: WaitingReceivers,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Settles with what is there, or with the first that comes within `wait_ms`, or with nothing. */
  async recv(params: RecvParams, signal: CallSignal): Promise<RecvResult> {
    const outcome = await this.writer.submit(() => this.take(params, signal));
    return outcome instanceof ParkedCall ? outcome.answered : outcome;
  }

  /** At the end of a transaction: hands what it made available to those who wait, in the order in which they came. */
  serve(agentId: number): void {
    const waiting = this.waiting.of(agentId);
    const agent = waiting.length > 0 ? this.directory.byId(agentId) : undefined;
    if (!agent) return;
    this.broadcasts.writeFor(agentId);
    if (this.counts.pending(agentId) === 0) return;
    for (const receiver of waiting) {
      if (receiver.call.isOver) continue;
      const turn = this.turns.of(agentId);
      if (receiver.turn !== null && receiver.turn !== turn?.id) continue;
      const own = receiver.turn === null ? undefined : turn;
      const handed = this.handOut({ agent, turn: own, session: receiver.session }, receiver.max);
      if (handed.length === 0) continue;
      const result = this.answer(
        receiver.request,
        { agent, turn: own, session: receiver.session },
        handed,
      );
      this.writer.afterCommit(() => {
        this.waiting.remove(receiver);
        receiver.call.answer(result);
      });
    }
  }

  private take(params: RecvParams, signal: CallSignal): RecvResult | ParkedCall<RecvResult> {
    const { agent, turn } = this.credentials.caller(params.credential);
    const receiver: Receiver = { agent, turn, session: params.session };
    const repeated = this.requests.repeated(params.request_id, 'recv', agent.id);
    if (repeated) return this.again(repeated, receiver);
    if (signal.aborted) throw new HiveError('cancelled', 'the call was cancelled');
    this.broadcasts.writeFor(agent.id);
    const mine = this.leasedTo(receiver);
    if (!turn)
      for (const shown of mine.filter((row) => row.written === 1)) this.deliveries.ack(shown);
    const unshown = mine.filter((row) => row.written === 0).slice(0, params.max);
    const handed = [
      ...unshown.map((row) => this.lease(row, receiver)),
      ...this.handOut(receiver, params.max - unshown.length),
    ];
    if (handed.length > 0 || params.wait_ms === 0)
      return this.answer(params.request_id, receiver, handed);
    return this.park(params, receiver, signal);
  }

  /** Leases what is next, and nothing to an agent whose former run is still being closed. */
  private handOut(receiver: Receiver, limit: number): DeliveryRecord[] {
    const { agent, turn } = receiver;
    if (limit <= 0 || this.counts.pending(agent.id) === 0 || this.fences.has(agent.id)) return [];
    if (turn && isAlone(turn)) return [];
    const pick = this.picker.forRecv(agent, limit, turn ? 0 : undefined);
    if (pick.urgentRow !== agent.urgent_row)
      this.directory.update(agent, { urgent_row: pick.urgentRow });
    return pick.deliveries.map((row) => this.lease(row, receiver));
  }

  private lease(row: DeliveryRecord, { turn, session }: Receiver): DeliveryRecord {
    const holder: Holder = turn ? { turn: turn.id } : { session };
    const leased = this.deliveries.lease(row, holder, false);
    const hop = turn ? (this.messages.find(row.message)?.hop ?? 0) : 0;
    if (turn && hop > turn.hop) this.turns.update(turn, { hop });
    return leased;
  }

  private answer(request: string, receiver: Receiver, handed: DeliveryRecord[]): RecvResult {
    const { agent, turn, session } = receiver;
    const stored: HandOuts = handed.map((row) => [row.message, row.hand_outs]);
    this.requests.remember(
      { id: request, method: 'recv', caller: agent.id, turn: turn?.id ?? null, session },
      stored,
    );
    return { messages: this.toMessages(handed, agent), pending: this.counts.pending(agent.id) };
  }

  /** The answer of a repeated request: what it handed out, as far as the caller still holds it by that hand-out. */
  private again(request: AnsweredRequest, receiver: Receiver): RecvResult {
    const { agent, turn } = receiver;
    const handed = (JSON.parse(request.answer) as HandOuts).flatMap(([message, handOut]) => {
      const row = this.rows.find(message, agent.id);
      const held =
        row?.state === 'leased' &&
        row.hand_outs === handOut &&
        (turn ? row.turn === turn.id : row.session === request.session);
      return held ? [row] : [];
    });
    return { messages: this.toMessages(handed, agent), pending: this.counts.pending(agent.id) };
  }

  private leasedTo({ agent, turn, session }: Receiver): DeliveryRecord[] {
    const leased = this.rows.leasedTo(agent.id);
    return turn
      ? leased.filter((row) => row.turn === turn.id)
      : leased.filter((row) => row.session === session);
  }

  private toMessages(handed: readonly DeliveryRecord[], agent: Agent): Message[] {
    const now = this.clock.now();
    return handed.map((row) => {
      const content = this.messages.find(row.message);
      if (!content) throw new Error(`delivery of ${formatId('m', row.message)} has no message`);
      const redelivered = row.hand_outs > 1;
      return toMessage(
        content,
        { to: agent.name, priority: row.priority, redelivered, attempts: row.attempts },
        now,
      );
    });
  }

  private park(
    params: RecvParams,
    { agent, turn, session }: Receiver,
    signal: CallSignal,
  ): ParkedCall<RecvResult> {
    const receiver: WaitingReceiver = {
      request: params.request_id,
      agent: agent.id,
      turn: turn?.id ?? null,
      session,
      max: params.max,
      call: new ParkedCall<RecvResult>({
        clock: this.clock,
        waitMs: params.wait_ms,
        signal,
        onGone: () => this.waiting.remove(receiver),
        onTimeout: () => {
          this.waiting.remove(receiver);
          receiver.call.answerWith(this.writer.submit(() => this.nothingCame(receiver)));
        },
      }),
    };
    this.waiting.add(receiver);
    return receiver.call;
  }

  /** Stored like every answer: a repeat of this request must not be given what came after it. */
  private nothingCame({ request, agent, turn, session }: WaitingReceiver): RecvResult {
    this.requests.remember({ id: request, method: 'recv', caller: agent, turn, session }, []);
    return { messages: [], pending: this.counts.pending(agent) };
  }
}
