import type { BenchAgent } from '../bench-agents.js';

/** A message that came. */
export interface Received {
  id: string;
  /** Acks it; settles when that is durable, or at once where the next receipt carries the ack. */
  ack: () => Promise<void>;
}

/** A way into the broker that is measured. */
export interface Door {
  /** Settles with the message's id when it is accepted, that is durable. */
  send(from: BenchAgent, to: BenchAgent, body: string): Promise<string>;
  /** Waits for the agent's next message. */
  receive(agent: BenchAgent): Promise<Received>;
  close(): Promise<void>;
}

/** Longest wait for a message, in milliseconds: longer than any measurement. */
export const RECEIVE_MS = 60_000;

/** For doors at which the next receipt acks. */
export function ackedByTheNext(): Promise<void> {
  return Promise.resolve();
}
