import path from 'node:path';

import type { HarnessConfig } from '#libs/protocol';

import type { HarnessEnvironment } from '../../environment/environment.js';
import { reasonOf, type Log } from '../../logging/log.js';
import { childEnvironment } from '../../processes/child-environment.js';
import { endProcesses, findMarked } from '../../processes/marked-processes.js';
import type { CliTraces } from '../../processes/predecessor.js';
import { hiveInstructions } from '../../prompt/hive-instructions.js';
import type { Clock } from '../../time/clock.js';
import { resolveCommand } from '../command/command-line.js';
import { RunCredential } from '../run-credential.js';
import type { LiveTurn, TurnDriver, TurnRequest } from '../turn-driver.js';
import { ClaudeProcess } from './claude-process.js';
import { ClaudeTurn, type ClaudeTurnHost } from './claude-turn.js';
import { CLAUDE_DEFAULTS, cliArguments, mcpConfig } from './cli-arguments.js';
import { SessionState } from './session-state.js';
import { TurnRecorder } from './turn-recorder.js';

/** A kept CLI holds about 114 MB; starting it again costs 0.6 s. It ends after this long without a turn. */
const IDLE_MS = 5 * 60_000;
/** A gateway that is being restarted is back within seconds. */
const CONNECT_MS = 20_000;
/** Steps of ending an idle CLI, in milliseconds: it exits within 30 ms after its input was closed. */
const CLOSE_MS = 2000;
const TERMINATE_MS = 2000;
/** What the CLI left behind gets this long between SIGTERM and SIGKILL, and to go after that. */
const LEFTOVER_GRACE_MS = 500;
const LEFTOVER_KILL_MS = 5000;
/**
 * A compaction between turns may take this long, and never longer than a turn. Summing up a full context takes a few
 * minutes; meanwhile the agent takes no turn and hears no command.
 */
const COMPACTION_MS = 15 * 60_000;

export interface ClaudeDriverOptions {
  environment: HarnessEnvironment;
  env: NodeJS.ProcessEnv;
  traces: CliTraces;
  clock: Clock;
  log: Log;
  /** A CLI that was kept for the next turn ended by itself. */
  onCliGone?: () => void;
  /** How long an idle CLI is kept; default 5 minutes. */
  idleMs?: number;
  /** How long the CLI may take to connect to the hive once it is up; default 20 s. */
  connectMs?: number;
}

interface Running {
  cli: ClaudeProcess;
  credential: RunCredential;
  fingerprint: string;
  /** Settles when the process and all that it started are gone. */
  gone: Promise<void>;
  usedAt: number;
  /** `unproven`: an old session that the CLI has not taken up yet. */
  session: 'new' | 'unproven' | 'taken up';
  isEnding: boolean;
}

/**
 * Drives the real Claude Code CLI with stream-json in both directions. The process is kept between turns, with the run's
 * credential that it was started with, and replaced when the configuration or the model changes; the session goes on.
 */
export class ClaudeDriver implements TurnDriver, ClaudeTurnHost {
  readonly state: SessionState;
  readonly clock: Clock;
  private running: Running | undefined;
  private fresh: RunCredential | undefined;
  private live: LiveTurn | undefined;

  constructor(private readonly options: ClaudeDriverOptions) {
    this.clock = options.clock;
    this.state = new SessionState(path.join(options.environment.workDir, 'session.json'));
  }

  async credential(config: HarnessConfig): Promise<RunCredential> {
    if (this.state.wantsNewSession) {
      await this.endCli();
      this.state.forget();
    }
    const { running } = this;
    if (running?.cli.isAlive && running.fingerprint === this.fingerprint(config)) {
      return running.credential;
    }
    await this.endCli();
    this.fresh ??= new RunCredential(this.options.traces.runsDir);
    return this.fresh;
  }

  start(turn: TurnRequest): LiveTurn {
    const live = new ClaudeTurn(turn, this);
    this.live = live;
    void live.outcome.finally(() => {
      this.live = undefined;
      if (this.running) {
        this.running.cli.mute();
        this.running.usedAt = this.clock.monotonic();
      }
    });
    return live;
  }

  async open(
    turn: Pick<TurnRequest, 'config' | 'credential'>,
  ): Promise<{ cli: ClaudeProcess; kept: boolean }> {
    const { running } = this;
    if (running?.credential === turn.credential) return { cli: running.cli, kept: true };
    await running?.gone;
    this.running = this.startCli(turn.config, turn.credential);
    this.fresh = undefined;
    return { cli: this.running.cli, kept: false };
  }

  began(sessionId: string): void {
    if (this.running) this.running.session = 'taken up';
    this.state.began(sessionId);
  }

  async renew(): Promise<void> {
    await this.endCli();
    this.fresh?.discard();
    this.fresh = undefined;
  }

  async rest(): Promise<void> {
    const { running, options } = this;
    if (!running || this.live) return;
    if (this.clock.monotonic() - running.usedAt >= (options.idleMs ?? IDLE_MS)) await this.endCli();
  }

  async newSession(): Promise<void> {
    this.state.wantNewSession();
  }

  model(config: HarnessConfig): string | null {
    return this.state.model(config);
  }

  async useModel(model: string, config: HarnessConfig): Promise<void> {
    this.state.useModel(model, config);
  }

  async compact(config: HarnessConfig): Promise<void> {
    this.state.wantCompaction(true);
    if (this.live) return;
    const credential = await this.credential(config);
    const { cli } = await this.open({ config, credential });
    const recorder = new TurnRecorder({
      emit: () => {},
      onCompacting: () => {},
      onHiveLost: () => {},
    });
    cli.listener = {
      onMessage: (message) => {
        recorder.take(message);
        if (message.subtype === 'init' && message.session_id) this.began(message.session_id);
      },
      onStderr: () => {},
      onBytes: () => {},
    };
    const limitMs = Math.min(config.turn_seconds * 1000, COMPACTION_MS);
    const said = new AbortController();
    const limit = this.endCliAfter(limitMs, said.signal);
    try {
      await cli.say('/compact');
    } catch (error) {
      said.abort();
      if (!(await limit)) throw error;
      throw new Error(
        `the compaction was over its time limit of ${limitMs} ms; the CLI was ended`,
        {
          cause: error,
        },
      );
    } finally {
      said.abort();
      await limit;
      cli.mute();
      this.state.wantCompaction(false);
      this.state.keepUsage(recorder.usage.total());
    }
    if (recorder.compaction !== 'success') throw new Error('the CLI did not compact the session');
  }

  async stop(): Promise<void> {
    this.live?.interrupt('stopped');
    await this.live?.outcome;
    await this.renew();
  }

  private startCli(config: HarnessConfig, credential: RunCredential): Running {
    const { environment, env, traces } = this.options;
    const childEnv = childEnvironment({
      environment,
      from: env,
      mark: traces.mark,
      runTokenFile: credential.tokenFile,
      defaults: CLAUDE_DEFAULTS,
      configured: config.env,
    });
    const session = this.state.next(childEnv['CLAUDE_CONFIG_DIR'] ?? '');
    const command = config.command.length > 0 ? config.command.slice(0, 1) : ['claude'];
    const [program] = resolveCommand(command, environment.configDir);
    const cli = new ClaudeProcess({
      program,
      args: cliArguments({
        config,
        environment,
        model: this.state.model(config),
        mcpConfigFile: credential.writeFile(
          'mcp.json',
          mcpConfig(config, environment.gatewayUrl, credential.token),
        ),
        systemPrompt: hiveInstructions(config, environment),
        session,
      }),
      cwd: environment.stateDir,
      env: childEnv,
      clock: this.clock,
      connectMs: this.options.connectMs ?? CONNECT_MS,
    });
    if (cli.pid !== undefined) traces.record.write(cli.pid);
    const running: Running = {
      cli,
      credential,
      fingerprint: this.fingerprint(config),
      gone: cli.ended.then(() => this.cleanUp(running)),
      usedAt: this.clock.monotonic(),
      session: session.resume ? 'unproven' : 'new',
      isEnding: false,
    };
    return running;
  }

  /** Ends the CLI unless `done` aborts before; tells whether it did. */
  private async endCliAfter(ms: number, done: AbortSignal): Promise<boolean> {
    await this.clock.sleep(ms, done);
    if (done.aborted) return false;
    await this.endCli();
    return true;
  }

  /** Ends the CLI, gently first, and waits until it and all that it started are gone. */
  private async endCli(): Promise<void> {
    const { running } = this;
    if (!running) return;
    const gone = new AbortController();
    void running.gone.then(() => gone.abort());
    running.isEnding = true;
    running.cli.closeInput();
    await this.clock.sleep(CLOSE_MS, gone.signal);
    if (!gone.signal.aborted) running.cli.terminate();
    await this.clock.sleep(TERMINATE_MS, gone.signal);
    if (!gone.signal.aborted) running.cli.kill();
    await running.gone;
  }

  private async cleanUp(running: Running): Promise<void> {
    const { traces, clock, log } = this.options;
    try {
      // Its tools' processes have sessions of their own and outlive a killed CLI.
      const find = () => findMarked(traces.mark);
      await endProcesses(find, { graceMs: LEFTOVER_GRACE_MS, killMs: LEFTOVER_KILL_MS, clock });
    } catch (error) {
      log.error('the CLI left processes that do not end', { reason: reasonOf(error) });
    }
    traces.record.clear();
    running.credential.discard();
    if (running.session === 'unproven' && !running.isEnding) {
      log.warn('the CLI could not resume its session; the next turn begins a new one');
      this.state.forget();
    }
    if (this.running === running) this.running = undefined;
    if (!this.live) this.options.onCliGone?.();
  }

  /** Everything that a running process cannot take over from a changed configuration. */
  private fingerprint(config: HarnessConfig): string {
    const { name, role, command, system_prompt, env, mcp_servers } = config;
    const { allowed_tools, allowed_recipients } = config;
    const tools = { mcp_servers, allowed_tools, allowed_recipients };
    return JSON.stringify({
      name,
      role,
      command,
      system_prompt,
      env,
      tools,
      model: this.state.model(config),
    });
  }
}
