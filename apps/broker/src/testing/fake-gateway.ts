import type { CallContext, RpcPeer } from '#libs/ipc';

/** A gateway's connection for a broker that is called in process. */
export class FakeGateway {
  /** Runs that the broker had it close, in order. */
  readonly closedRuns: string[] = [];
  /** How often it was told that agents changed. */
  agentsChanged = 0;
  /** Replace it to delay or refuse the answer to `close_run`. */
  onCloseRun: (credential: string) => Promise<void> = () => Promise.resolve();
  private readonly closed = Promise.withResolvers<void>();
  private open = true;

  readonly peer = this.asPeer();

  /** The context of a call over this connection. */
  context(signal: AbortSignal = new AbortController().signal): CallContext {
    return { signal, peer: this.peer };
  }

  /** The connection is gone; settles when the broker knows. */
  async disconnect(): Promise<void> {
    this.open = false;
    this.closed.resolve();
    await this.closed.promise;
    await Promise.resolve();
  }

  get isOpen(): boolean {
    return this.open;
  }

  /** The part of RpcPeer that the broker uses. */
  private asPeer(): RpcPeer {
    const isOpen = () => this.open;
    const peer = {
      get isOpen() {
        return isOpen();
      },
      whenClosed: this.closed.promise,
      call: (method: string, params: { credential: string }) => this.called(method, params),
      close: () => void this.disconnect(),
    };
    return peer as unknown as RpcPeer;
  }

  private async called(method: string, params: { credential: string }): Promise<object> {
    if (method === 'agents_changed') {
      this.agentsChanged += 1;
      return {};
    }
    this.closedRuns.push(params.credential);
    await this.onCloseRun(params.credential);
    return { closed_sessions: 1 };
  }
}
