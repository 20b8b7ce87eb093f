import { Injectable } from '@nestjs/common';

import { HiveError, LIMITS } from '#libs/protocol';

import { BrokerLink } from '../broker/broker-link.service.js';
import type { AuthenticatedCaller } from '../door/door.js';
import { Identities } from '../door/identities.service.js';
import { GatewayOptions } from '../gateway.options.js';
import { ToolRunner } from '../tools/tool-runner.service.js';
import { McpSession } from './session.js';
import type { CancelReason } from './tool-call.js';

/** How often idle sessions are looked for, in milliseconds. */
const SWEEP_MS = 60_000;
/** How long the last words to the broker may take when the gateway stops, in milliseconds. */
const FAREWELL_MS = 1000;

/** All MCP sessions, by id and by agent (P36). */
@Injectable()
export class Sessions {
  private readonly byId = new Map<string, McpSession>();
  private readonly byAgent = new Map<string, Set<McpSession>>();
  private readonly farewells = new Set<Promise<unknown>>();
  private takeBackSweep: () => void = () => {};
  private recheck: Promise<void> | undefined;
  private mustRecheck = false;

  constructor(
    private readonly options: GatewayOptions,
    private readonly link: BrokerLink,
    private readonly identities: Identities,
    private readonly tools: ToolRunner,
  ) {}

  start(): void {
    this.link.onCloseRun((credential) => this.closeOf(credential, 'superseded'));
    this.link.onConnected(() => this.recheckSoon());
    this.link.onAgentsChanged(() => this.recheckSoon());
    this.armSweep();
  }

  /** Number of open sessions, for tests and health. */
  get size(): number {
    return this.byId.size;
  }

  /** The session `id` if it belongs to this very credential; another agent's is as unknown as none (P36). */
  find(id: string, caller: AuthenticatedCaller): McpSession | undefined {
    const session = this.byId.get(id);
    return session?.caller.credential === caller.credential ? session : undefined;
  }

  /**
   * A new session, not yet initialized. At the limit the agent's oldest idle one is closed for it; when none is idle it
   * is refused with `too_many_sessions`.
   */
  async create(caller: AuthenticatedCaller): Promise<McpSession> {
    const agentId = caller.identity.agent_id;
    const open = this.byAgent.get(agentId)?.size ?? 0;
    if (open >= LIMITS.sessions_per_agent && !this.oldestIdle(agentId)) {
      throw new HiveError(
        'too_many_sessions',
        `this agent has ${open} MCP sessions with calls running, the limit is ${LIMITS.sessions_per_agent}; end one with DELETE or wait for a call to end`,
        { limit: LIMITS.sessions_per_agent },
      );
    }
    const session = new McpSession({
      caller,
      clock: this.options.clock,
      hiveRev: this.options.hiveRev,
      tools: this.tools,
      onOpen: (opened) => this.add(opened),
      onClosed: (closed) => this.remove(closed),
      onError: (error) =>
        this.options.logger.debug({ agent: caller.identity.name }, `MCP: ${error.message}`),
    });
    await session.open();
    return session;
  }

  /** Closes every session of a credential; resolves with their number when all are closed. */
  async closeOf(credential: string, reason: CancelReason): Promise<number> {
    this.identities.forget(credential);
    const theirs = [...this.byId.values()].filter(
      (session) => session.caller.credential === credential,
    );
    await Promise.all(theirs.map((session) => session.close(reason)));
    return theirs.length;
  }

  /** Answers what waits, closes all sessions and tells the broker, within a bound. */
  async stop(): Promise<void> {
    this.takeBackSweep();
    await Promise.all([...this.byId.values()].map((session) => session.close('stopping')));
    if (!this.link.isConnected) return;
    const bound = Promise.withResolvers<void>();
    const takeBack = this.options.clock.after(FAREWELL_MS, bound.resolve);
    await Promise.race([Promise.all(this.farewells), bound.promise]);
    takeBack();
  }

  private oldestIdle(agentId: string, except?: McpSession): McpSession | undefined {
    return [...(this.byAgent.get(agentId) ?? [])]
      .filter((session) => session !== except && !session.isBusy)
      .toSorted((a, b) => a.lastUsed - b.lastUsed)[0];
  }

  private add(session: McpSession): void {
    if (session.id === undefined) return;
    this.byId.set(session.id, session);
    const agentId = session.caller.identity.agent_id;
    const theirs = this.byAgent.get(agentId) ?? new Set();
    theirs.add(session);
    this.byAgent.set(agentId, theirs);
    if (theirs.size <= LIMITS.sessions_per_agent) return;
    const oldest = this.oldestIdle(agentId, session);
    if (!oldest) return;
    // Off the books at once, so that sessions which open in the same tick do not all count it as room.
    this.remove(oldest);
    void oldest.close('session_closed');
  }

  private remove(session: McpSession): void {
    const { id, caller } = session;
    if (id === undefined || !this.byId.delete(id)) return;
    const theirs = this.byAgent.get(caller.identity.agent_id);
    theirs?.delete(session);
    if (theirs?.size === 0) this.byAgent.delete(caller.identity.agent_id);
    this.sayClosed(caller.credential, id);
  }

  /** The broker gives back what the session held (P12). If it never hears of it, the lease runs out by itself. */
  private sayClosed(credential: string, session: string): void {
    const said = this.link
      .call({
        method: 'session_closed',
        params: () => ({ credential, session }),
        patienceMs: this.options.harnessPatienceMs,
      })
      .catch((error: unknown) =>
        this.options.logger.debug({ err: error }, 'the broker did not learn of a closed session'),
      )
      .finally(() => this.farewells.delete(said));
    this.farewells.add(said);
  }

  /**
   * Asks the broker for every credential again: after a lost link, over which a `close_run` could not come (P4), and when
   * agents changed. One round at a time; what changes meanwhile makes one more.
   */
  private recheckSoon(): void {
    this.identities.forgetAll();
    this.mustRecheck = true;
    this.recheck ??= this.recheckAll().finally(() => {
      this.recheck = undefined;
    });
  }

  private async recheckAll(): Promise<void> {
    while (this.mustRecheck) {
      this.mustRecheck = false;
      const credentials = [...this.byId.values()].map((session) => session.caller.credential);
      await Promise.all([...new Set(credentials)].map((credential) => this.recheckOne(credential)));
    }
  }

  private async recheckOne(credential: string): Promise<void> {
    try {
      await this.identities.ask(credential);
    } catch (error) {
      if (isEnded(error)) await this.closeOf(credential, 'superseded');
    }
  }

  private armSweep(): void {
    this.takeBackSweep = this.options.clock.after(SWEEP_MS, () => {
      const before = this.options.clock.monotonic() - this.options.idleSessionMs;
      for (const session of this.byId.values()) {
        if (!session.isBusy && !session.isWatched && session.lastUsed < before) {
          void session.close('session_closed');
        }
      }
      this.armSweep();
    });
  }
}

/** The broker knows the credential no longer, or only as a revoked run's. */
function isEnded(error: unknown): boolean {
  return (
    error instanceof HiveError && (error.code === 'unauthorized' || error.code === 'superseded')
  );
}
