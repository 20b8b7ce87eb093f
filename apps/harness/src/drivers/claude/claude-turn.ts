import { clip, LIMITS } from '#libs/protocol';

import { reasonOf } from '../../logging/log.js';
import { escalate } from '../../processes/escalation.js';
import type { Clock } from '../../time/clock.js';
import type { InterruptReason, LiveTurn, TurnOutcome, TurnRequest } from '../turn-driver.js';
import { CHECKPOINT_PROMPT } from './checkpoint.js';
import type { ClaudeProcess } from './claude-process.js';
import { resultKind } from './result-kind.js';
import type { SessionState } from './session-state.js';
import type { InitMessage, ResultMessage, StreamMessage } from './stream-message.js';
import { TurnRecorder } from './turn-recorder.js';

/** What a turn needs of its driver. */
export interface ClaudeTurnHost {
  state: SessionState;
  clock: Clock;
  /** The process that holds the turn's credential, kept from an earlier turn or started now. */
  open(
    turn: Pick<TurnRequest, 'config' | 'credential'>,
  ): Promise<{ cli: ClaudeProcess; kept: boolean }>;
  /** The CLI took up this session. */
  began(sessionId: string): void;
}

/** One turn: the prompt, what the CLI does with it, and the compactions that it makes necessary. */
export class ClaudeTurn implements LiveTurn {
  readonly outcome: Promise<TurnOutcome>;
  private readonly recorder: TurnRecorder;
  private cli: ClaudeProcess | undefined;
  private interruptedBy: InterruptReason | undefined;
  private isKept = false;
  private isPrompted = false;
  /** The CLI said something in this turn. */
  private isHeard = false;
  private isConnecting = false;
  private notes: string[] = [];

  constructor(
    private readonly turn: TurnRequest,
    private readonly host: ClaudeTurnHost,
  ) {
    this.recorder = new TurnRecorder({
      emit: (event) => turn.emit(event),
      onCompacting: () => turn.onState('compacting'),
      onHiveLost: () => this.reconnect(),
    });
    this.outcome = this.run();
  }

  interrupt(reason: InterruptReason): void {
    if (this.interruptedBy !== undefined) return;
    this.interruptedBy = reason;
    if (this.cli) this.end(reason);
  }

  reconnect(): void {
    if (!this.cli || this.isConnecting) return;
    this.isConnecting = true;
    // What stands in the way shows in the next call's result; the turn goes on as well as it can.
    void this.cli
      .connectHive()
      .catch(() => {})
      .finally(() => {
        this.isConnecting = false;
      });
  }

  private async run(): Promise<TurnOutcome> {
    let outcome: TurnOutcome;
    try {
      const spent = this.host.state.takeUsage();
      if (spent) {
        this.recorder.usage.carry(spent);
        this.notes.push('the counts hold a compaction before this turn');
      }
      outcome = await this.answer();
    } catch (error) {
      outcome = this.result(this.kindOfFailure(), reasonOf(error));
    }
    return outcome.kind === 'ok' && this.needsCompaction() ? this.compactAfter(outcome) : outcome;
  }

  private kindOfFailure(): TurnOutcome['kind'] {
    if (this.interruptedBy) return 'interrupted';
    return this.isKept && !this.isHeard && !this.cli?.isAlive ? 'unstarted' : 'failed';
  }

  /** Gives the prompt; when the session is too long for it, compacts once and gives it again in the same session. */
  private async answer(): Promise<TurnOutcome> {
    const { turn, host } = this;
    const { cli, kept } = await host.open(turn);
    this.cli = cli;
    this.isKept = kept;
    this.listen(cli);
    if (this.interruptedBy) this.end(this.interruptedBy);
    await cli.connectHive();
    if (this.interruptedBy) return this.result('interrupted', '');
    this.isPrompted = true;
    let verdict = this.judge(await cli.say(turn.prompt));
    if (verdict.kind === 'prompt_too_long' && !this.interruptedBy) {
      turn.emit({ kind: 'note', text: 'the prompt is too long; the session is compacted' });
      if (await this.compact()) {
        this.notes.push('compacted once: the prompt was too long');
        verdict = this.judge(await cli.say(turn.prompt));
      }
      if (verdict.kind === 'prompt_too_long') {
        // The next turn, not this one, begins anew: what this turn was shown would be unknown there.
        host.state.wantNewSession();
        this.notes.push('the next turn begins a new session');
      }
    }
    return this.result(verdict.kind, verdict.note);
  }

  private judge(result: ResultMessage): { kind: TurnOutcome['kind']; note: string } {
    const status = this.recorder.hiveStatus;
    if (status !== undefined && status !== 'connected') {
      return {
        kind: 'failed',
        note: `the CLI is not connected to the hive's MCP server (${status})`,
      };
    }
    const verdict = resultKind(result, this.recorder.lastError);
    if (verdict.kind === 'ok') {
      // The agent could not say what it had to say: to it the turn looks finished, to the hive it is not.
      const { hiveLost } = this.recorder;
      if (hiveLost === undefined) return verdict;
      return { kind: 'failed', note: `the agent's last call to the hive failed: ${hiveLost}` };
    }
    if (this.interruptedBy) return { kind: 'interrupted', note: '' };
    return verdict.kind === 'interrupted'
      ? { kind: 'failed', note: 'the CLI gave the turn up' }
      : verdict;
  }

  private needsCompaction(): boolean {
    if (this.interruptedBy || !this.cli?.isAlive) return false;
    const { contextTokens, contextWindow } = this.recorder.usage;
    const watermark = this.turn.config.auto_compact_watermark;
    const isFull =
      watermark > 0 &&
      contextTokens !== null &&
      contextWindow !== null &&
      contextTokens >= watermark * contextWindow;
    return isFull || this.host.state.wantsCompaction;
  }

  /** Has the agent write down what it needs, then compacts. Nothing in here can undo the turn. */
  private async compactAfter(outcome: TurnOutcome): Promise<TurnOutcome> {
    try {
      this.turn.onSettled(outcome);
      this.host.state.wantCompaction(false);
      this.turn.emit({ kind: 'prompt', text: CHECKPOINT_PROMPT });
      await this.cli!.say(CHECKPOINT_PROMPT);
      const isDone = !this.interruptedBy && (await this.compact());
      this.notes.push(isDone ? 'compacted after the turn' : 'the compaction failed');
    } catch (error) {
      this.notes.push(`the compaction failed: ${reasonOf(error)}`);
    }
    return this.result('ok', outcome.note);
  }

  private async compact(): Promise<boolean> {
    this.turn.onState('compacting');
    this.recorder.compaction = undefined;
    await this.cli!.say('/compact');
    this.turn.onState('running');
    return this.recorder.compaction === 'success';
  }

  private listen(cli: ClaudeProcess): void {
    cli.listener = {
      onMessage: (message) => this.onMessage(message),
      onStderr: (text) => this.turn.emit({ kind: 'stderr', text }),
      onBytes: (bytes) => {
        this.recorder.bytes += bytes;
      },
    };
  }

  private onMessage(message: StreamMessage): void {
    this.isHeard = true;
    this.recorder.take(message);
    if (message.type !== 'system' || message.subtype !== 'init') return;
    this.host.began((message as InitMessage).session_id);
    // Without the hive's tools the agent can answer nobody: its work would be lost.
    if (this.recorder.hiveStatus !== 'connected') this.end('cancelled');
  }

  private end(reason: InterruptReason): void {
    const cli = this.cli!;
    const by = {
      // Before the prompt there is nothing to interrupt.
      interrupt: () => (this.isPrompted ? cli.interrupt() : cli.terminate()),
      terminate: () => cli.terminate(),
      kill: () => cli.kill(),
    };
    void escalate(reason, by, this.outcome, this.host.clock);
  }

  private result(kind: TurnOutcome['kind'], note: string): TurnOutcome {
    const { recorder, turn } = this;
    const usage = recorder.usage.total();
    return {
      kind,
      note: clip([note, ...this.notes].filter(Boolean).join('; '), LIMITS.note_chars),
      shown: this.isPrompted ? [...new Set([...turn.promptIds, ...recorder.shown])] : [],
      usage: { ...usage, model: usage.model ?? this.host.state.model(turn.config) },
      tool_calls: { ...recorder.toolCalls },
      bytes_streamed: recorder.bytes,
    };
  }
}
