import type { Clock, Logger } from '#libs/service';

/** What the gateway is started with. */
export interface GatewaySettings {
  clock: Clock;
  logger: Logger;
  /** Path of broker-gateway.sock. */
  brokerSocket: string;
  /** Path of c0re-gateway.sock. */
  c0reSocket: string;
  /** Where agents reach the gateway by TCP; port 0 takes a free one. */
  host: string;
  port: number;
  hiveRev: string;
}

/** Longest time in which a request's head and body must have come, in milliseconds. Answers may take longer. */
export const REQUEST_MS = 60_000;

/**
 * How long a tool call is repeated while the broker is away. Longer than a restart of the broker with its migrations
 * and back-off, shorter than the patience of MCP clients (300 s).
 */
const TOOL_PATIENCE_MS = 60_000;
/** The same for harness calls and credential checks: a harness repeats by itself, so it is told soon. */
const HARNESS_PATIENCE_MS = 10_000;
/**
 * A session that made no call for this long and has no GET stream open is ended. Longer than a bare client's lease
 * (600 s), so that no lease goes back while its session could still ack it.
 */
const IDLE_SESSION_MS = 1_800_000;

/** The settings as the gateway's classes take them, with its own time-outs; a test may shorten these. */
export class GatewayOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly brokerSocket: string;
  readonly c0reSocket: string;
  readonly host: string;
  readonly port: number;
  readonly hiveRev: string;
  readonly toolPatienceMs: number;
  readonly harnessPatienceMs: number;
  readonly idleSessionMs: number;

  constructor(
    settings: GatewaySettings & {
      toolPatienceMs?: number;
      harnessPatienceMs?: number;
      idleSessionMs?: number;
    },
  ) {
    this.clock = settings.clock;
    this.logger = settings.logger;
    this.brokerSocket = settings.brokerSocket;
    this.c0reSocket = settings.c0reSocket;
    this.host = settings.host;
    this.port = settings.port;
    this.hiveRev = settings.hiveRev;
    this.toolPatienceMs = settings.toolPatienceMs ?? TOOL_PATIENCE_MS;
    this.harnessPatienceMs = settings.harnessPatienceMs ?? HARNESS_PATIENCE_MS;
    this.idleSessionMs = settings.idleSessionMs ?? IDLE_SESSION_MS;
  }
}
