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
    const start = chunk.lastIndexOf(10) + 1;
    const messages: unknown[] = [];
    if (start > 0) {
      // One text of all whole lines: making one of each takes longer than to parse it.
      const whole = chunk.subarray(0, start - 1);
      const bytes = restBytes === 0 ? whole : Buffer.concat([...rest, whole]);
      rest = [];
      restBytes = 0;
      try {
        for (const line of bytes.toString('utf8').split('\n'))
          if (line !== '') messages.push(JSON.parse(line));
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
