import type { CallContext, RpcPeer } from '#libs/ipc';
import type { Message } from '#libs/protocol';

import { Violation } from './ledger.js';

/** A call on its way to the broker, with what came of it. */
export interface SimCall {
  method: string;
  params: object;
  /** The caller's name; the agent's for its CLI and its harness. */
  caller: string;
  /** Token hash, when the caller is a CLI process. */
  run?: string;
  outcome?: { value: unknown } | { error: { code?: string; message: string } };
  /** Takes the outcome to the caller; never called for a call that was given up. */
  arrive: (call: SimCall) => void;
  abort: AbortController;
  /** The caller, its connection or its run is gone. */
  dead: boolean;
}

type Handlers = Record<string, (params: never, context: CallContext) => unknown>;

/** The gateway of the model: one connection to the broker, and the calls that wait on it. */
export class SimGateway {
  private calls: SimCall[] = [];
  private closed = Promise.withResolvers<void>();
  private open = true;
  readonly peer: RpcPeer;

  constructor() {
    this.peer = this.newPeer();
  }

  private newPeer(): RpcPeer {
    const isOpen = () => this.open;
    return {
      get isOpen() {
        return isOpen();
      },
      whenClosed: this.closed.promise,
      call: (method: string, params: { credential: string }) => this.serve(method, params),
      close: () => this.drop(),
    } as unknown as RpcPeer;
  }

  /** Sends a call; its outcome is taken by `harvest`. */
  send(handlers: Handlers, call: Omit<SimCall, 'abort' | 'dead' | 'outcome'>): SimCall {
    const sent: SimCall = { ...call, abort: new AbortController(), dead: false };
    this.calls.push(sent);
    const handler = handlers[sent.method];
    if (!handler) throw new Error(`the broker has no ${sent.method}`);
    void (async () => {
      try {
        const value = await handler(sent.params as never, {
          signal: sent.abort.signal,
          peer: this.peer,
        });
        sent.outcome = { value };
      } catch (error) {
        sent.outcome = { error: error as Error };
      }
      if (
        sent.dead &&
        sent.run !== undefined &&
        messagesOf(sent).length > 0 &&
        this.closedRuns.has(sent.run)
      ) {
        this.late = new Violation('I4', `a call of a revoked run was answered with a message`);
      }
    })();
    return sent;
  }

  private readonly closedRuns = new Set<string>();
  /** Set when a revoked run's call was answered with a message after the gateway had closed it. */
  late: Violation | undefined;

  /** Calls that have an outcome and whose caller still waits. */
  harvest(): SimCall[] {
    const done = this.calls.filter((call) => call.outcome !== undefined && !call.dead);
    this.calls = this.calls.filter((call) => call.outcome === undefined && !call.dead);
    return done;
  }

  /** Gives up what these callers wait for; returns how many calls that were. */
  giveUp(which: (call: SimCall) => boolean): number {
    const given = this.calls.filter(
      (call) => !call.dead && call.outcome === undefined && which(call),
    );
    for (const call of given) {
      call.dead = true;
      call.abort.abort();
    }
    return given.length;
  }

  waiting(caller: string, method: string): boolean {
    return this.calls.some(
      (call) => !call.dead && call.caller === caller && call.method === method,
    );
  }

  /** The broker is dead: nothing that waits is answered, and nobody is told. */
  forget(): void {
    for (const call of this.calls) call.dead = true;
    this.calls = [];
    this.open = false;
  }

  /** The connection is lost with all that waits on it. */
  drop(): void {
    this.open = false;
    for (const call of this.calls) {
      call.dead = true;
      call.abort.abort();
    }
    this.calls = [];
    this.closed.resolve();
  }

  private async serve(method: string, params: { credential: string }): Promise<object> {
    if (method !== 'close_run') return {};
    this.closedRuns.add(params.credential);
    const closed = this.giveUp((call) => call.run === params.credential);
    return { closed_sessions: closed };
  }
}

/** The messages that an answer hands out. */
export function messagesOf(call: SimCall): Message[] {
  const value = call.outcome && 'value' in call.outcome ? call.outcome.value : undefined;
  const answer = value as
    | { messages?: Message[]; turn?: { messages: Message[] } | null }
    | undefined;
  return answer?.messages ?? answer?.turn?.messages ?? [];
}
