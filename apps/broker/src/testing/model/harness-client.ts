import type { EndRequest, ResultKind, TurnGrant } from '#libs/protocol';

/** A turn as its harness knows it. */
export interface KnownTurn {
  id: string;
  run: string;
  /** What woke it. */
  wake: string;
  /** Messages that reached the CLI. */
  shown: Set<string>;
}

/** What a harness and its CLI know; the model moves it, the broker never sees it. */
export class HarnessClient {
  instance = 0;
  alive = false;
  saidHello = false;
  turn: KnownTurn | undefined;
  lastTurn: string | null = null;
  /** Ends on disk: written before they are sent, removed when answered (P6). */
  ends: { turn_id: string; end: EndRequest }[] = [];
  confirm: string[] = [];
  /** An earlier instance that still runs. */
  zombie: { instance: number; turn: KnownTurn | undefined } | undefined;
  /** Run of the newest CLI that lost its harness; calls of it may still be on their way. */
  orphan: string | undefined;
  private runs = 0;
  run: string;

  constructor(readonly name: string) {
    this.run = this.newRun();
  }

  /** Token hash of the next CLI process. */
  newRun(): string {
    this.runs += 1;
    return Buffer.from(`run ${this.runs} of ${this.name}`)
      .toString('hex')
      .padEnd(64, '0')
      .slice(0, 64);
  }

  begin(grant: TurnGrant): void {
    this.turn = {
      id: grant.turn_id,
      run: this.run,
      wake: grant.messages[0]?.id ?? '',
      shown: new Set(grant.messages.map((message) => message.id)),
    };
    this.lastTurn = grant.turn_id;
  }

  /** Writes the end of the turn to disk and forgets the turn. `forget` leaves out that many of what was shown. */
  finish(kind: ResultKind, forget: number, at: string): { turn_id: string; end: EndRequest } {
    const turn = this.turn as KnownTurn;
    const shown = [...turn.shown];
    const record = {
      turn_id: turn.id,
      end: {
        instance: this.instance,
        result_kind: kind,
        shown: this.name === 'cmd' ? null : shown.slice(0, Math.max(1, shown.length - forget)),
        note: '',
        telemetry: emptyTelemetry(at),
      },
    };
    this.ends.push(record);
    this.turn = undefined;
    return record;
  }

  die(keepZombie: boolean): void {
    this.zombie = keepZombie ? { instance: this.instance, turn: this.turn } : undefined;
    this.orphan = this.turn?.run ?? this.orphan;
    this.alive = false;
    this.saidHello = false;
    this.turn = undefined;
    this.lastTurn = null;
    this.confirm = [];
    this.run = this.newRun();
  }

  /** Whatever was on its way to the broker is lost; a hello that was not answered has to be said again. */
  callsAreLost(): void {
    this.helloOnItsWay = false;
  }

  helloOnItsWay = false;
}

/** Telemetry of a turn that did nothing. */
export function emptyTelemetry(at: string): EndRequest['telemetry'] {
  return {
    started_at: at,
    ended_at: at,
    duration_ms: 0,
    model: null,
    input_tokens: 0,
    output_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
    context_tokens: null,
    tool_call_count: 0,
    tool_call_breakdown: {},
    bytes_streamed: 0,
    cost_usd: null,
  };
}
