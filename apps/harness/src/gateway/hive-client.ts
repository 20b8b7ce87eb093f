import {
  LIMITS,
  type EndAnswer,
  type EndRequest,
  type EventsAnswer,
  type EventsRequest,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  type HelloAnswer,
  type HelloRequest,
  type PollAnswer,
  type PollRequest,
} from '#libs/protocol';

import type { HttpDoor } from './http-door.js';

/** A call that does not wait is given up after this long: the gateway itself waits for the broker at most 5 s. */
const CALL_TIMEOUT_MS = 15_000;
/** How much later than its own wait a long-poll may be answered before the connection counts as dead. */
const POLL_MARGIN_MS = 15_000;

/** The harness API, one method per request (docs/harness-protocol.md). Fails as HttpDoor.post does. */
export class HiveClient {
  constructor(private readonly door: Pick<HttpDoor, 'post'>) {}

  hello(request: HelloRequest, signal?: AbortSignal): Promise<HelloAnswer> {
    return this.call('/harness/v1/hello', request, CALL_TIMEOUT_MS, signal);
  }

  poll(
    request: Omit<PollRequest, 'wait_seconds'>,
    signal?: AbortSignal,
    waitSeconds: number = LIMITS.poll_wait_seconds,
  ): Promise<PollAnswer> {
    const wait = { ...request, wait_seconds: waitSeconds };
    return this.call('/harness/v1/turns', wait, waitSeconds * 1000 + POLL_MARGIN_MS, signal);
  }

  heartbeat(
    turnId: string,
    request: Omit<HeartbeatRequest, 'wait_seconds'>,
    signal?: AbortSignal,
    waitSeconds: number = LIMITS.heartbeat_wait_seconds,
  ): Promise<HeartbeatAnswer> {
    return this.call(
      `/harness/v1/turns/${turnId}/heartbeat`,
      { ...request, wait_seconds: waitSeconds },
      waitSeconds * 1000 + POLL_MARGIN_MS,
      signal,
    );
  }

  events(turnId: string, request: EventsRequest, signal?: AbortSignal): Promise<EventsAnswer> {
    return this.call(`/harness/v1/turns/${turnId}/events`, request, CALL_TIMEOUT_MS, signal);
  }

  end(turnId: string, request: EndRequest, signal?: AbortSignal): Promise<EndAnswer> {
    return this.call(`/harness/v1/turns/${turnId}/end`, request, CALL_TIMEOUT_MS, signal);
  }

  private call<T>(path: string, body: unknown, timeoutMs: number, signal?: AbortSignal) {
    return this.door.post<T>(path, body, { timeoutMs, ...(signal ? { signal } : {}) });
  }
}
