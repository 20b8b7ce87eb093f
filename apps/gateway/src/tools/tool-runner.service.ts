import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { Injectable } from '@nestjs/common';

import { newRequestId } from '#libs/ipc';
import { clip, HiveError, LIMITS, type BrokerGatewayApi, type RecvResult } from '#libs/protocol';

import { BrokerLink } from '../broker/broker-link.service.js';
import { C0reLink } from '../c0re/c0re-link.service.js';
import type { AuthenticatedCaller } from '../door/door.js';
import { Identities } from '../door/identities.service.js';
import { GatewayAddress } from '../gateway.address.js';
import { GatewayOptions } from '../gateway.options.js';
import { WaitingCalls } from '../limits/waiting-calls.service.js';
import type { CancelReason, ToolCall } from '../mcp/tool-call.js';
import { inputError, refusal } from './refusal.js';
import { fieldsOf, TOOLS_OF } from './tool-list.js';
import type { Tool, ToolContext } from './tool.js';

/** Reports progress of a waiting call to its client. */
export type ProgressReport = (progress: number, total: number, message: string) => void;

/** A `tools/call` as its session knows it. */
export interface RunRequest {
  caller: AuthenticatedCaller;
  session: string;
  call: ToolCall;
  /** Filled with the ids of the broker requests behind the result (P11). */
  requestIds: string[];
  /** Absent when the client sent no progress token. */
  progress: ProgressReport | undefined;
  /** Tells the client that the call takes longer than it should. */
  warn: (text: string) => void;
}

const BROKER_AWAY =
  "the hive's broker is being restarted; this call goes on by itself when it is back";

const C0RE_AWAY = "the hive's c0re is being restarted; this call goes on by itself when it is back";

/** Runs tool calls. Whatever goes wrong becomes a result that says so; nothing is thrown. */
@Injectable()
export class ToolRunner {
  private readonly byName = {
    agent: new Map(TOOLS_OF.agent.map((tool) => [tool.name, tool])),
    manager: new Map(TOOLS_OF.manager.map((tool) => [tool.name, tool])),
  };

  constructor(
    private readonly options: GatewayOptions,
    private readonly link: BrokerLink,
    private readonly c0re: C0reLink,
    private readonly identities: Identities,
    private readonly waiting: WaitingCalls,
    private readonly address: GatewayAddress,
  ) {}

  async run(params: unknown, request: RunRequest): Promise<CallToolResult> {
    try {
      const { name, args } = callOf(params);
      const tools = this.byName[request.caller.identity.role];
      const tool = tools.get(name);
      if (!tool) throw unknownTool(name, [...tools.keys()]);
      const input = parseInput(tool, args);
      const { structured, text } = await tool.run(input, this.contextOf(request));
      // An answer that came while the run was being revoked must not get out (P4).
      if (request.call.reason !== undefined) throw cancelError(request.call.reason);
      return {
        content: [{ type: 'text', text }],
        structuredContent: structured as Record<string, unknown>,
      };
    } catch (error) {
      return this.refuse(error, request);
    }
  }

  private refuse(error: unknown, { caller, call, requestIds }: RunRequest): CallToolResult {
    // The result, if there is one, is not in this answer: it must not count as written (P11).
    requestIds.length = 0;
    if (call.reason !== undefined) return refusal(cancelError(call.reason));
    if (error instanceof HiveError && error.code === 'unauthorized') {
      this.identities.forget(caller.credential);
    }
    if (!(error instanceof HiveError)) {
      this.options.logger.error({ err: error, agent: caller.identity.name }, 'a tool call failed');
    }
    return refusal(error);
  }

  private contextOf(request: RunRequest): ToolContext {
    const { credential, token, identity } = request.caller;
    const { signal } = request.call;
    const common = {
      patienceMs: this.options.toolPatienceMs,
      signal,
      onMissing: () => request.warn(BROKER_AWAY),
    };
    const repeatable = () => {
      const id = newRequestId(this.options.clock.now());
      request.requestIds.push(id);
      return { credential, session: request.session, request_id: id };
    };
    return {
      port: this.address.port,
      session: request.session,
      role: identity.role,
      manage: (method, path, body) =>
        this.c0re.call({
          method,
          path,
          token,
          signal,
          onMissing: () => request.warn(C0RE_AWAY),
          ...(method === 'POST'
            ? { body: { ...body, request_id: newRequestId(this.options.clock.now()) } }
            : {}),
        }),
      ask: (method, params) =>
        this.link.call({ ...common, method, params: () => ({ credential, ...params }) }),
      change: (method, params) => {
        // What was left out of the method's params is put back: the compiler cannot follow that for each method.
        const whole = {
          ...repeatable(),
          ...params,
        } as unknown as BrokerGatewayApi[typeof method][0];
        return this.link.call({ ...common, method, params: () => whole });
      },
      receive: (max, waitSeconds) =>
        waitSeconds === 0
          ? this.receive(request, { ...repeatable(), max }, 0)
          : this.receiveWaiting(request, { ...repeatable(), max }, waitSeconds),
    };
  }

  private async receiveWaiting(
    request: RunRequest,
    base: RecvBase,
    waitSeconds: number,
  ): Promise<RecvResult> {
    const leave = this.waiting.enter('tool', request.caller.identity.agent_id);
    const stopProgress = this.reportProgress(request.progress, waitSeconds);
    try {
      return await this.receive(request, base, waitSeconds);
    } finally {
      stopProgress();
      leave();
    }
  }

  private receive(request: RunRequest, base: RecvBase, waitSeconds: number): Promise<RecvResult> {
    const { clock, toolPatienceMs } = this.options;
    const deadline = clock.monotonic() + waitSeconds * 1000;
    return this.link.call({
      method: 'recv',
      params: () => ({ ...base, wait_ms: Math.max(0, Math.round(deadline - clock.monotonic())) }),
      patienceMs: toolPatienceMs,
      signal: request.call.signal,
      onMissing: () => request.warn(BROKER_AWAY),
    });
  }

  private reportProgress(report: ProgressReport | undefined, waitSeconds: number): () => void {
    if (!report) return () => {};
    let takeBack: (() => void) | undefined;
    const arm = (waited: number) => {
      takeBack = this.options.clock.after(LIMITS.progress_seconds * 1000, () => {
        const now = waited + LIMITS.progress_seconds;
        report(now, waitSeconds, `no message yet after ${now} s`);
        arm(now);
      });
    };
    arm(0);
    return () => takeBack?.();
  }
}

type RecvBase = { credential: string; session: string; request_id: string; max: number };

/** Name and arguments of a `tools/call`, whatever the client sent. */
function callOf(params: unknown): { name: string; args: unknown } {
  const { name, arguments: args } = (params ?? {}) as { name?: unknown; arguments?: unknown };
  if (typeof name !== 'string') {
    throw new HiveError('invalid_request', 'the call names no tool; put its name into "name"');
  }
  return { name, args: args ?? {} };
}

function unknownTool(name: string, known: string[]): HiveError {
  return new HiveError(
    'unknown_method',
    `there is no tool ${JSON.stringify(clip(name, 64))}; the tools are: ${known.join(', ')}`,
  );
}

function parseInput(tool: Tool, args: unknown): never {
  const parsed = tool.input.safeParse(args, { reportInput: true });
  if (!parsed.success) throw inputError(tool.name, fieldsOf(tool), parsed.error);
  return parsed.data;
}

function cancelError(reason: CancelReason): HiveError {
  switch (reason) {
    case 'superseded':
      return new HiveError(
        'superseded',
        'this turn is over: the hive has given its messages to another run; stop, whatever you do now has no effect',
      );
    case 'stopping':
      return new HiveError(
        'unavailable',
        'the gateway is being restarted; call again in a few seconds',
      );
    case 'session_closed':
      return new HiveError(
        'cancelled',
        'the MCP session was closed; begin a new one and call again',
      );
    case 'cancelled':
    case 'connection_closed':
      return new HiveError('cancelled', 'the call was cancelled');
    default:
      return reason satisfies never;
  }
}
