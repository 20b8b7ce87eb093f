import type { Socket } from 'node:net';

/** Longest line taken from a peer, in bytes: a whole snapshot fits, a runaway peer does not. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;

/**
 * Reads newline-delimited JSON from a socket and calls `onMessages` once per chunk with all whole messages in it.
 * A line that is not JSON or is too long ends the connection with an error: the peer is not speaking this protocol.
 */
export function readJsonLines(socket: Socket, onMessages: (messages: unknown[]) => void): void {
  let rest: Buffer[] = [];
  let restBytes = 0;
  socket.on('data', (chunk: Buffer) => {
    let start = 0;
    const messages: unknown[] = [];
    for (let end = chunk.indexOf(10, start); end !== -1; end = chunk.indexOf(10, start)) {
      const piece = chunk.subarray(start, end);
      const line = restBytes === 0 ? piece : Buffer.concat([...rest, piece]);
      rest = [];
      restBytes = 0;
      start = end + 1;
      if (line.length === 0) continue;
      try {
        messages.push(JSON.parse(line.toString('utf8')));
      } catch {
        socket.destroy(new Error('the peer sent a line that is not JSON'));
        return;
      }
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      restBytes += chunk.length - start;
      if (restBytes > MAX_LINE_BYTES) {
        socket.destroy(new Error(`the peer sent a line of over ${MAX_LINE_BYTES} bytes`));
        return;
      }
    }
    if (messages.length > 0) onMessages(messages);
  });
}

/** Writes JSON lines, those of one tick in one system call. */
export class JsonLineWriter {
  private pending: string[] = [];

  constructor(private readonly socket: Socket) {}

  write(message: unknown): void {
    this.pending.push(JSON.stringify(message));
    if (this.pending.length === 1) setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.pending.length === 0 || this.socket.destroyed) {
      this.pending = [];
      return;
    }
    const lines = `${this.pending.join('\n')}\n`;
    this.pending = [];
    this.socket.write(lines);
  }
}
