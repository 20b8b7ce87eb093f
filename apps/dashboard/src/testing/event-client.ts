import { WebSocket } from 'ws';

import type { HiveEvent } from '#libs/protocol';

export type Frame = HiveEvent | { kind: 'resync'; seq?: undefined };

/** A client of the event channel that keeps what it got. */
export class EventClient {
  readonly frames: Frame[] = [];
  /** Code and reason of the close, once it is closed. */
  closed: { code: number; reason: string } | undefined;
  private readonly opened = Promise.withResolvers<void>();
  private refused: number | undefined;

  constructor(readonly socket: WebSocket) {
    socket.on('open', () => this.opened.resolve());
    socket.on('message', (data: Buffer) => {
      this.frames.push(JSON.parse(data.toString()) as Frame);
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    socket.on('unexpected-response', (_request, response) => {
      this.refused = response.statusCode;
      response.resume();
      socket.terminate();
      this.opened.resolve();
    });
    socket.on('error', () => this.opened.resolve());
  }

  /** Connects; `status` is 101 when the upgrade was taken. */
  static async open(
    url: string,
    headers: Record<string, string> = {},
  ): Promise<{ client: EventClient; status: number }> {
    const client = new EventClient(new WebSocket(url, { headers }));
    await client.opened.promise;
    return { client, status: client.refused ?? 101 };
  }

  /** Kinds and places of the frames so far. */
  get seqs(): (string | undefined)[] {
    return this.frames.map(({ kind, seq }) => seq ?? kind);
  }

  close(): void {
    this.socket.terminate();
  }
}
