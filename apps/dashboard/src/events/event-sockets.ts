import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { WebSocket } from 'ws';

import type { EventSeq } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../settings/tokens.js';
import { EventFanOut } from './event-fan-out.js';
import { SocketSink } from './socket-sink.js';

/** A client that answers no ping within this time is gone, in milliseconds. */
const PING_EVERY_MS = 30_000;
/** A socket lives this long at most, in milliseconds; the next one needs a ticket, and that a session (P30). */
const LONGEST_LIFE_MS = 60 * 60_000;
/** How long a closing handshake may take, in milliseconds. */
const CLOSE_MS = 1000;

/** Close codes (RFC 6455): the server goes away, the session ended, start again with a new ticket, too slow. */
const CLOSED = { goingAway: 1001, policy: 1008, restart: 1012, tryAgainLater: 1013 } as const;

interface Client {
  socket: WebSocket;
  sessionTag: string | undefined;
  stop: () => void;
}

/** The open WebSockets, each with its own place in the event stream. */
@Injectable()
export class EventSockets implements OnModuleDestroy {
  private readonly clients = new Set<Client>();

  constructor(
    private readonly events: EventFanOut,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  get count(): number {
    return this.clients.size;
  }

  add(socket: WebSocket, after: EventSeq, sessionTag: string | undefined): void {
    const sink = new SocketSink(socket, this.clock, () =>
      this.end(socket, CLOSED.tryAgainLater, 'resume after the last event that came'),
    );
    const unfollow = this.events.follow(after, sink);
    const stopPings = this.keepAlive(socket);
    const endLife = this.clock.after(LONGEST_LIFE_MS, () =>
      this.end(socket, CLOSED.restart, 'open a new one'),
    );
    const client: Client = {
      socket,
      sessionTag,
      stop: () => {
        unfollow();
        stopPings();
        endLife();
        this.clients.delete(client);
      },
    };
    this.clients.add(client);
    socket.on('close', client.stop);
  }

  /** Closes the sockets of a session that was ended. */
  closeSession(sessionTag: string | undefined): void {
    if (sessionTag === undefined) return;
    for (const client of this.clients) {
      if (client.sessionTag === sessionTag) this.end(client.socket, CLOSED.policy, 'logged out');
    }
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(
      [...this.clients].map(({ socket }) => {
        const closed = new Promise<void>((resolve) => {
          socket.once('close', () => resolve());
        });
        this.end(socket, CLOSED.goingAway, 'the dashboard stops');
        return closed;
      }),
    );
  }

  /** Says why, and does not wait for ever for the answer. */
  private end(socket: WebSocket, code: number, reason: string): void {
    socket.close(code, reason);
    const cancel = this.clock.after(CLOSE_MS, () => socket.terminate());
    socket.once('close', cancel);
  }

  private keepAlive(socket: WebSocket): () => void {
    let isAlive = true;
    let cancel: () => void;
    socket.on('pong', () => {
      isAlive = true;
    });
    const ping = () => {
      if (!isAlive) {
        socket.terminate();
        return;
      }
      isAlive = false;
      socket.ping();
      cancel = this.clock.after(PING_EVERY_MS, ping);
    };
    cancel = this.clock.after(PING_EVERY_MS, ping);
    return () => cancel();
  }
}
