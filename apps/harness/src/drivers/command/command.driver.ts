import { spawn, type ChildProcess } from 'node:child_process';

import { clip, LIMITS, type HarnessConfig } from '#libs/protocol';

import type { HarnessEnvironment } from '../../environment/environment.js';
import { reasonOf, type Log } from '../../logging/log.js';
import { childEnvironment } from '../../processes/child-environment.js';
import { escalate } from '../../processes/escalation.js';
import { endProcesses, findGroup, findMarked, signal } from '../../processes/marked-processes.js';
import type { CliTraces } from '../../processes/predecessor.js';
import type { Clock } from '../../time/clock.js';
import { readLines } from '../lines.js';
import { RunCredential } from '../run-credential.js';
import type {
  InterruptReason,
  LiveTurn,
  TurnDriver,
  TurnOutcome,
  TurnRequest,
} from '../turn-driver.js';
import { resolveCommand } from './command-line.js';

/** What the program left behind gets this long between SIGTERM and SIGKILL, and to go after that, in milliseconds. */
const LEFTOVER_GRACE_MS = 500;
const LEFTOVER_KILL_MS = 5000;
/** Output that is still in the pipes when the program has exited is waited for this long, in milliseconds. */
const DRAIN_MS = 500;

export interface CommandDriverOptions {
  environment: HarnessEnvironment;
  env: NodeJS.ProcessEnv;
  traces: CliTraces;
  clock: Clock;
  log: Log;
}

/**
 * Runs the configured argv once per turn with the wake prompt on stdin (INTERFACES "Harness API"): exit 0 is a turn that
 * went well, any other a failure with the end of stderr as its note. It cannot see what the program reads from the
 * gateway, so it names no shown ids (P1).
 */
export class CommandDriver implements TurnDriver {
  private fresh: RunCredential | undefined;
  private running: Promise<unknown> = Promise.resolve();
  private interrupt: (reason: InterruptReason) => void = () => {};

  constructor(private readonly options: CommandDriverOptions) {}

  credential(): Promise<RunCredential> {
    this.fresh ??= new RunCredential(this.options.traces.runsDir);
    return Promise.resolve(this.fresh);
  }

  start(turn: TurnRequest): LiveTurn {
    this.fresh = undefined;
    const run = new CommandRun(turn, this.options);
    this.running = run.outcome;
    this.interrupt = (reason) => run.interrupt(reason);
    return run;
  }

  async renew(): Promise<void> {
    this.fresh?.discard();
    this.fresh = undefined;
  }

  async stop(): Promise<void> {
    this.interrupt('stopped');
    await this.running;
    await this.renew();
  }

  model(config: HarnessConfig): string | null {
    return config.model;
  }

  /** A program per turn has no session and no model of the harness' choosing: nothing to do. */
  async rest(): Promise<void> {}
  async newSession(): Promise<void> {}
  async useModel(_model: string, _config: HarnessConfig): Promise<void> {}
  async compact(): Promise<void> {
    throw new Error('a command agent has no session to compact');
  }
}

class CommandRun implements LiveTurn {
  readonly outcome: Promise<TurnOutcome>;
  private readonly child: ChildProcess | undefined;
  private readonly ended = Promise.withResolvers<{ code: number | null; signal: string | null }>();
  private isInterrupted = false;
  private stderrTail = '';
  private bytes = 0;

  constructor(
    private readonly turn: TurnRequest,
    private readonly options: CommandDriverOptions,
  ) {
    try {
      this.child = this.spawn();
      this.outcome = this.follow();
    } catch (error) {
      this.outcome = Promise.resolve(this.result('failed', reasonOf(error)));
    }
    void this.outcome.finally(() => turn.credential.discard());
  }

  interrupt(reason: InterruptReason): void {
    const pid = this.child?.pid;
    if (this.isInterrupted || pid === undefined) return;
    this.isInterrupted = true;
    void escalate(
      reason,
      {
        // To the whole group, as a terminal's Ctrl-C does.
        interrupt: () => signal(-pid, 'SIGINT'),
        terminate: () => signal(-pid, 'SIGTERM'),
        kill: () => signal(-pid, 'SIGKILL'),
      },
      this.ended.promise,
      this.options.clock,
    );
  }

  /** The program connects by itself. */
  reconnect(): void {}

  private spawn(): ChildProcess {
    const { environment, env, traces } = this.options;
    const { config, credential, turnId } = this.turn;
    const [program, ...args] = resolveCommand(config.command, environment.configDir);
    const child = spawn(program, args, {
      cwd: environment.stateDir,
      env: childEnvironment({
        environment,
        from: env,
        mark: traces.mark,
        runTokenFile: credential.tokenFile,
        configured: config.env,
        turnId,
      }),
      stdio: ['pipe', 'pipe', 'pipe'],
      // A process group of its own, so that the whole group can be told to end.
      detached: true,
    });
    child.on('error', (error) => {
      this.stderrTail = `${program} cannot be started: ${error.message}`;
      this.ended.resolve({ code: null, signal: null });
    });
    child.on('exit', (code, by) => this.ended.resolve({ code, signal: by }));
    if (child.pid !== undefined) traces.record.write(child.pid);
    child.stdin?.on('error', () => {}); // A program need not read its prompt.
    child.stdin?.end(this.turn.prompt);
    readLines(
      child.stdout,
      (text) => this.turn.emit({ kind: 'text', text }),
      (bytes) => {
        this.bytes += bytes;
      },
    );
    readLines(child.stderr, (text) => {
      this.stderrTail = `${this.stderrTail}${text}\n`.slice(-LIMITS.note_chars);
      this.turn.emit({ kind: 'stderr', text });
    });
    return child;
  }

  private async follow(): Promise<TurnOutcome> {
    const closed = new Promise((resolve) => {
      this.child?.once('close', resolve);
    });
    const { code, signal: by } = await this.ended.promise;
    const drained = new AbortController();
    void closed.then(() => drained.abort());
    await this.endLeftovers();
    await this.options.clock.sleep(DRAIN_MS, drained.signal);
    if (this.isInterrupted) return this.result('interrupted', '');
    if (code === 0) return this.result('ok', '');
    const how = code === null ? (by === null ? '' : `ended by ${by}`) : `exit ${code}`;
    return this.result('failed', [how, this.stderrTail.trim()].filter(Boolean).join(': '));
  }

  /** Ends what the program started and left running: its group, and what left the group but kept the mark. */
  private async endLeftovers(): Promise<void> {
    const { traces, clock, log } = this.options;
    const pid = this.child?.pid;
    const find = () => [
      ...new Set([...(pid === undefined ? [] : findGroup(pid)), ...findMarked(traces.mark)]),
    ];
    try {
      const graceMs = LEFTOVER_GRACE_MS;
      await endProcesses(find, { graceMs, killMs: LEFTOVER_KILL_MS, clock });
    } catch (error) {
      log.error('a program left processes that do not end', { reason: reasonOf(error) });
    }
    traces.record.clear();
  }

  private result(kind: TurnOutcome['kind'], note: string): TurnOutcome {
    return {
      kind,
      note: clip(note, LIMITS.note_chars),
      shown: null,
      usage: {
        model: this.turn.config.model,
        input_tokens: 0,
        output_tokens: 0,
        cache_read_input_tokens: 0,
        cache_creation_input_tokens: 0,
        context_tokens: null,
        cost_usd: null,
      },
      tool_calls: {},
      bytes_streamed: this.bytes,
    };
  }
}
