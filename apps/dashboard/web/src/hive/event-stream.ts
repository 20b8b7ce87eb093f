import { parseSeq, type HiveEvent, type ResyncFrame } from '#libs/protocol';

type Frame = HiveEvent | ResyncFrame;

/** What the page shows of the connection. `retry_at` is in milliseconds since 1970. */
export type Connection =
  | { status: 'connecting' }
  | { status: 'live' }
  | { status: 'waiting'; retry_at: number };

export interface EventStreamOptions {
  /** The last `seq` that the page has. */
  after: string;
  ticket: () => Promise<string>;
  open: (url: string) => WebSocket;
  /** Events in order, each once, without a gap. */
  onEvent: (event: HiveEvent) => void;
  onResync: () => void;
  onConnection: (connection: Connection) => void;
}

const FIRST_RETRY_MS = 400;
const LONGEST_RETRY_MS = 15_000;
/** A connection that held this long was a good one: the back-off starts from the beginning. */
const GOOD_AFTER_MS = 5000;

/**
 * The one live channel (PRODUCT 7.1): a WebSocket that, after any break, goes on behind the last event that the page
 * has seen. A gap inside an epoch is treated as a break; only `resync` makes the page start over.
 */
export class EventStream {
  #seq: string;
  #socket: WebSocket | undefined;
  #attempt = 0;
  #openedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(private readonly options: EventStreamOptions) {
    this.#seq = options.after;
  }

  get seq(): string {
    return this.#seq;
  }

  start(): void {
    void this.#connect();
  }

  /** Tries again now instead of at the end of the back-off: the network came back, or the operator asked. */
  retryNow(): void {
    if (this.#stopped || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    void this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#drop();
  }

  async #connect(): Promise<void> {
    this.options.onConnection({ status: 'connecting' });
    try {
      const ticket = await this.options.ticket();
      if (this.#stopped) return;
      const query = new URLSearchParams({ after: this.#seq, ticket });
      this.#listen(this.options.open(`/events?${query.toString()}`));
    } catch {
      this.#retry();
    }
  }

  #listen(socket: WebSocket): void {
    this.#socket = socket;
    socket.onopen = () => {
      this.#openedAt = Date.now();
      this.options.onConnection({ status: 'live' });
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#take(JSON.parse(String(data)) as Frame);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#retry();
    };
  }

  #take(frame: Frame): void {
    if (frame.kind === 'resync') {
      this.stop();
      this.options.onResync();
      return;
    }
    const last = parseSeq(this.#seq);
    const next = parseSeq(frame.seq);
    if (!last || !next) return;
    // An empty stream ends at 0-0; its first event opens the epoch.
    const first = last.epoch === 0 && next.n === 1;
    if (next.epoch !== last.epoch && !first) {
      this.stop();
      this.options.onResync();
      return;
    }
    if (next.epoch === last.epoch && next.n <= last.n) return;
    if (next.epoch === last.epoch && next.n !== last.n + 1) {
      this.#drop();
      this.#retry();
      return;
    }
    this.#seq = frame.seq;
    this.#attempt = 0;
    this.options.onEvent(frame);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #retry(): void {
    this.#socket = undefined;
    if (this.#stopped) return;
    if (this.#openedAt > 0 && Date.now() - this.#openedAt > GOOD_AFTER_MS) this.#attempt = 0;
    this.#openedAt = 0;
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempt);
    this.#attempt += 1;
    // Spread over the upper half, so that many pages do not come back in the same instant.
    const wait = longest * (0.5 + Math.random() / 2);
    this.options.onConnection({ status: 'waiting', retry_at: Date.now() + wait });
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#connect();
    }, wait);
  }
}
