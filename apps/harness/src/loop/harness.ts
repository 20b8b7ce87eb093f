import path from 'node:path';

import {
  HiveError,
  type EndRequest,
  type ErrorCode,
  type HarnessCommand,
  type HarnessConfig,
  type PollAnswer,
  type TurnGrant,
} from '#libs/protocol';

import { createDriver } from '../drivers/create-driver.js';
import type { RunCredential } from '../drivers/run-credential.js';
import type { TurnDriver } from '../drivers/turn-driver.js';
import { readAgentConfig } from '../environment/agent-config.js';
import type { HarnessEnvironment } from '../environment/environment.js';
import { EXIT } from '../environment/exit-codes.js';
import type { HiveClient } from '../gateway/hive-client.js';
import { InstanceSuperseded, PASSING, Retries } from '../gateway/retries.js';
import { reasonOf, type Log } from '../logging/log.js';
import { endPredecessor } from '../processes/predecessor.js';
import { EndStore } from '../reports/end-store.js';
import { EventJournal } from '../reports/event-journal.js';
import type { Clock } from '../time/clock.js';
import { CommandInbox } from './command-inbox.js';
import { TurnRunner } from './turn-runner.js';

/** Results that one hello may bring; there is rarely more than one. */
const MOST_ENDS = 100;
/** A stopping harness tries to report its last turn for this long; the next instance reports it otherwise. */
const LAST_END_MS = 2000;
/**
 * Refusals of a poll that pass by themselves: `conflict` while the lease of a turn runs out whose result the hive could
 * not read.
 */
const POLL_PASSING: ReadonlySet<ErrorCode> = new Set([...PASSING, 'conflict']);
/** A result that the hive refuses as malformed is put aside; these answers say that it may be taken later. */
const END_PASSING: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'outcome_unknown',
  'internal',
  'rate_limited',
  'unauthorized',
]);

export interface HarnessOptions {
  environment: HarnessEnvironment;
  /** The process' own environment, from which the CLI's is made. */
  env: NodeJS.ProcessEnv;
  client: HiveClient;
  clock: Clock;
  log: Log;
  /** How long an idle CLI is kept; default 5 minutes. */
  idleMs?: number;
}

/** The loop of one agent: end the old CLI, say hello, then turn after turn until it is told to stop. */
export class Harness {
  private readonly inbox = new CommandInbox();
  private readonly retries: Retries;
  private readonly ends: EndStore;
  private readonly journal: EventJournal;
  private readonly runner: TurnRunner;
  /** Aborts when the harness is to stop: no new calls, no new turns. */
  private readonly stopping = new AbortController();
  /** Aborts a little later: the last result has had its time. */
  private readonly closing = new AbortController();
  /** The open long-poll for a turn. */
  private poll = new AbortController();
  private superseded: InstanceSuperseded | undefined;
  private config: HarnessConfig;
  private lastTurnId: string | null = null;

  constructor(private readonly options: HarnessOptions) {
    const { environment, client, clock, log } = options;
    const { workDir, instance } = environment;
    this.config = readAgentConfig(environment.configFile);
    this.retries = new Retries(clock, log);
    this.ends = new EndStore(path.join(workDir, 'ends'), log);
    this.journal = new EventJournal({
      folder: path.join(workDir, 'events'),
      instance,
      client,
      retries: this.retries,
      clock,
      log,
      signal: this.closing.signal,
    });
    this.runner = new TurnRunner({
      client,
      retries: this.retries,
      inbox: this.inbox,
      ends: this.ends,
      journal: this.journal,
      clock,
      log,
      instance,
      stateDir: environment.stateDir,
      onCommand: (command) => void this.carryOut(command),
      onSuperseded: (error) => this.supersede(error),
    });
  }

  private driver: TurnDriver | undefined;

  /** Runs until stopped or superseded; returns the exit code. Everything that it started is gone by then. */
  async run(): Promise<number> {
    const { environment, env, clock, log, idleMs } = this.options;
    const traces = await endPredecessor(environment.workDir, clock, log);
    this.driver = createDriver(this.config.driver, {
      environment,
      env,
      traces,
      clock,
      log,
      onCliGone: () => this.poll.abort(),
      ...(idleMs === undefined ? {} : { idleMs }),
    });
    try {
      await this.hello(this.driver);
      void this.journal.sendLeftovers();
      while (!this.stopping.signal.aborted) await this.next(this.driver);
    } catch (error) {
      if (error instanceof InstanceSuperseded) this.superseded = error;
      else if (!this.stopping.signal.aborted) throw error;
    } finally {
      await this.driver.stop();
    }
    if (!this.superseded) return EXIT.stopped;
    log.warn('a newer instance of this agent runs', { reason: this.superseded.message });
    return EXIT.superseded;
  }

  /** Ends the running turn, gives its messages back, and has `run` return. Repeating it changes nothing. */
  stop(): void {
    if (this.stopping.signal.aborted) return;
    this.options.log.info('the harness stops');
    this.stopping.abort();
    this.poll.abort();
    if (this.runner.isRunning) {
      this.runner.interrupt('stopped');
    } else {
      this.closeSoon();
      // A compaction outside of any turn ends with its CLI.
      void this.driver?.stop();
    }
  }

  private closeSoon(): void {
    void this.options.clock
      .sleep(LAST_END_MS, this.closing.signal)
      .then(() => this.closing.abort());
  }

  private supersede(error: InstanceSuperseded): void {
    this.superseded = error;
    this.stop();
    this.closing.abort();
  }

  private async hello(driver: TurnDriver): Promise<void> {
    const { environment, client, clock, log } = this.options;
    const stored = this.ends.unanswered().slice(0, MOST_ENDS);
    const request = {
      instance: environment.instance,
      driver: this.config.driver,
      model: driver.model(this.config),
      hyperhive_rev: environment.rev,
      started_at: new Date(clock.now()).toISOString(),
      ends: stored.map(({ turn_id, end }) => ({ turn_id, end })),
    };
    const { signal } = this.stopping;
    const say = () =>
      this.retries.untilAnswered('hello', () => client.hello(request, signal), signal);
    const answer = await say().catch((error: unknown) => {
      if (!(error instanceof HiveError) || error.code === 'cancelled' || stored.length === 0) {
        throw error;
      }
      // A result that the hive cannot read must not keep the agent away: its messages come back instead.
      log.error('the hive refused hello with stored results; they are put aside', {
        reason: error.message,
      });
      for (const { turn_id } of request.ends.splice(0)) this.ends.putAside(turn_id);
      return say();
    });
    for (const { turn_id } of answer.ends) this.ends.remove(turn_id);
    for (const { turn_id, end } of this.ends.unanswered()) await this.deliver(turn_id, end);
    log.info('hello', { returned: answer.returned, ends: answer.ends.length });
  }

  /** Waits for the next turn or command and carries it out. */
  private async next(driver: TurnDriver): Promise<void> {
    this.readConfig();
    const credential = await driver.credential(this.config);
    const answer = await this.waitForTurn(credential);
    if (answer === 'revoked') return driver.renew();
    const commands = this.inbox.take(answer?.commands ?? []);
    const granted = answer?.turn;
    const isCancelled = granted !== undefined && granted !== null && commands.some(isCancel);
    // The hive cancels what it granted, at the latest with this answer: that turn does not begin (P17).
    if (isCancelled) {
      await this.report(granted, this.runner.cancelled(granted, driver.model(this.config)));
    }
    for (const command of commands) await this.carryOut(command);
    await driver.rest();
    if (!granted || isCancelled) return;
    // While it waited the configuration may have changed or the CLI gone: then the same turn is asked for again with
    // the credential of the CLI that will really run it (P2, P7).
    this.readConfig();
    if ((await driver.credential(this.config)) !== credential) return;
    if (this.stopping.signal.aborted) return;
    const end = await this.runner.run(granted, this.config, credential, driver);
    if (this.stopping.signal.aborted) this.closeSoon();
    // Not known to the hive as begun, it is granted again, to the credential of a new CLI.
    if (!end) return driver.renew();
    await this.report(granted, end);
  }

  private async report(turn: TurnGrant, end: EndRequest): Promise<void> {
    this.lastTurnId = turn.turn_id;
    await this.deliver(turn.turn_id, end);
  }

  private async waitForTurn(
    credential: RunCredential,
  ): Promise<PollAnswer | 'revoked' | undefined> {
    const { environment, client } = this.options;
    this.poll = new AbortController();
    const { signal } = this.poll;
    const confirm = this.inbox.toConfirm();
    const request = {
      instance: environment.instance,
      run_token_hash: credential.hash,
      last_turn_id: this.lastTurnId,
      confirm,
    };
    try {
      if (this.stopping.signal.aborted) return undefined;
      const ask = () => client.poll(request, signal);
      const answer = await this.retries.untilAnswered(
        'asking for a turn',
        ask,
        signal,
        POLL_PASSING,
      );
      this.inbox.confirmed(confirm);
      return answer;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof HiveError && error.code === 'superseded') return 'revoked';
      throw error;
    }
  }

  /** Sends the result until it is answered; nothing else happens before (P6). */
  private async deliver(turnId: string, end: EndRequest): Promise<void> {
    const { client, log } = this.options;
    const { signal } = this.closing;
    try {
      const answer = await this.retries.untilAnswered(
        'reporting the end of a turn',
        () => client.end(turnId, end, signal),
        signal,
        END_PASSING,
      );
      this.ends.remove(turnId);
      if (answer.outcome !== 'accepted') log.warn('late result', { turn_id: turnId, ...answer });
    } catch (error) {
      // Unanswered: it stays on disk, and the next instance's hello brings it.
      if (signal.aborted || !(error instanceof HiveError)) throw error;
      log.error('the hive refused the result of a turn; it is put aside', {
        turn_id: turnId,
        code: error.code,
        reason: error.message,
      });
      this.ends.putAside(turnId);
    }
  }

  /** A command that is not about the running turn. What it asks is on disk or done when this returns. */
  private async carryOut(command: HarnessCommand): Promise<void> {
    const { log } = this.options;
    log.info('command', { id: command.id, kind: command.kind });
    try {
      switch (command.kind) {
        case 'cancel':
          return; // Nothing runs (any more).
        case 'stop':
          return this.stop();
        case 'new_session':
          return await this.driver?.newSession();
        case 'model':
          if (command.model) await this.driver?.useModel(command.model, this.config);
          return;
        case 'compact':
          return await this.driver?.compact(this.config);
      }
    } catch (error) {
      log.warn('the command failed', { kind: command.kind, reason: reasonOf(error) });
    }
  }

  /** The configuration as it is now; one that cannot be read leaves the former in place. */
  private readConfig(): void {
    const { environment, log } = this.options;
    try {
      const config = readAgentConfig(environment.configFile);
      if (config.driver === this.config.driver) this.config = config;
      else log.warn('another driver needs a restart of the agent', { driver: config.driver });
    } catch (error) {
      log.error('the configuration cannot be used; the former one stays', {
        reason: reasonOf(error),
      });
    }
  }
}

function isCancel(command: HarnessCommand): boolean {
  return command.kind === 'cancel';
}
