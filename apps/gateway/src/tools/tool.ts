import type { ToolAnnotations } from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';

import type { BrokerGatewayApi, Role } from '#libs/protocol';

/** What a tool may use; made for each call by the runner. */
export interface ToolContext {
  /** Calls the broker for the agent, with its credential filled in. */
  ask<K extends CallerMethod>(
    method: K,
    params: Omit<BrokerGatewayApi[K][0], 'credential'>,
  ): Promise<BrokerGatewayApi[K][1]>;
  /** The same for a request that changes something: with the session, and one request id over all repeats (P11). */
  change<K extends ChangingMethod>(
    method: K,
    params: Omit<BrokerGatewayApi[K][0], 'credential' | 'session' | 'request_id'>,
  ): Promise<BrokerGatewayApi[K][1]>;
  /** A `recv` that may wait: counted, with progress, repeated with what is left of its time. */
  receive(max: number, waitSeconds: number): Promise<BrokerGatewayApi['recv'][1]>;
  /** Asks c0re with the caller's token, which c0re checks; a POST carries one request id over all repeats (P11). */
  manage<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T>;
  /** Role of the caller. */
  readonly role: Role;
  /** TCP port by which agents reach the gateway. */
  readonly port: number;
  /** MCP session of the call. */
  readonly session: string;
}

type CallerMethod =
  | 'get_thread'
  | 'whoami'
  | 'list_agents'
  | 'set_status'
  | 'request_next_turn'
  | 'ack'
  | 'search_messages'
  | 'list_my_asks'
  | 'list_my_reminders'
  | 'get_open_threads';
type ChangingMethod =
  | 'send'
  | 'ask'
  | 'answer'
  | 'cancel_ask'
  | 'remind'
  | 'cancel_reminder'
  | 'cancel_question';

/** What a tool returns: data that fits the output schema, and the same in a few words. */
export interface ToolOutcome<Output> {
  structured: Output;
  text: string;
}

export interface Tool<Input = never, Output = unknown> {
  name: string;
  title: string;
  /** Written for the model that must choose: when to use it, when not, what comes back. */
  description: string;
  /** Strict: an unknown field is refused with the list of known ones. */
  input: z.ZodType<Input>;
  output: z.ZodType<Output>;
  annotations: ToolAnnotations;
  /** Only the manager has it; for others it does not exist. */
  forManager?: true;
  run(input: Input, context: ToolContext): Promise<ToolOutcome<Output>>;
}

/** Ties a tool's handler to its schemas; the list of tools forgets the types again. */
export function defineTool<Input, Output>(tool: Tool<Input, Output>): Tool {
  return tool as unknown as Tool;
}
