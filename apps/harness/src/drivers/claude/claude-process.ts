import { spawn, type ChildProcess } from 'node:child_process';

import { reasonOf } from '../../logging/log.js';
import { crypto } from '../../platform/builtins.js';
import { signal } from '../../processes/marked-processes.js';
import type { Clock } from '../../time/clock.js';
import { readLines } from '../lines.js';
import { HIVE_SERVER } from './cli-arguments.js';
import type { ResultMessage, StreamMessage } from './stream-message.js';

/** A cold start of the CLI takes up to 13 s; a control request of a running one is answered in milliseconds. */
const CONTROL_MS = 60_000;
/** How often the CLI is asked about the hive's server while it connects, in milliseconds. */
const CONNECT_LOOK_MS = 250;
/** Characters of stderr that are kept for a failure's note. */
const STDERR_CHARACTERS = 2000;

export interface ClaudeProcessOptions {
  program: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  clock: Clock;
  /** How long the hive's server may take to be connected, in milliseconds. */
  connectMs: number;
}

/** What listens to the process; set per turn. */
export interface ProcessListener {
  onMessage(message: StreamMessage): void;
  onStderr(line: string): void;
  onBytes(bytes: number): void;
}
const DEAF: ProcessListener = { onMessage: () => {}, onStderr: () => {}, onBytes: () => {} };

interface Answer {
  subtype: string;
  request_id: string;
  response?: Record<string, unknown>;
  error?: string;
}

/** One running Claude Code process that takes prompts one after the other on stdin. */
export class ClaudeProcess {
  listener: ProcessListener = DEAF;
  private readonly child: ChildProcess;
  private readonly answers = new Map<string, (answer: Answer | undefined) => void>();
  private awaited: PromiseWithResolvers<ResultMessage> | undefined;
  private readonly ending = Promise.withResolvers<string>();
  private stderrTail = '';
  private living = true;

  constructor(private readonly options: ClaudeProcessOptions) {
    this.child = spawn(options.program, options.args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.on('error', (error) => {
      this.end(
        `${options.program} cannot be started (${error.message}); install Claude Code or name its path in "command"`,
      );
    });
    // 'close' comes after the last line; a child of a tool that holds the pipe must not delay the end for ever.
    this.child.on('close', (code, by) => this.end(describeExit(code, by)));
    this.child.on('exit', (code, by) => {
      void options.clock.sleep(1000).then(() => this.end(describeExit(code, by)));
    });
    this.child.stdin?.on('error', () => {});
    readLines(
      this.child.stdout!,
      (line) => this.take(line),
      (bytes) => this.listener.onBytes(bytes),
    );
    readLines(this.child.stderr!, (line) => {
      this.stderrTail = `${this.stderrTail}${line}\n`.slice(-STDERR_CHARACTERS);
      this.listener.onStderr(line);
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }
  get isAlive(): boolean {
    return this.living;
  }
  /** Settles with how it ended, in words, and the end of stderr. */
  get ended(): Promise<string> {
    return this.ending.promise;
  }

  /**
   * Gives a prompt and waits for its result. Rejects when the process ends first, and when a prompt is still being worked
   * on: the CLI would fold it into the running turn and give one result for both (P8).
   */
  say(text: string): Promise<ResultMessage> {
    if (this.awaited)
      return Promise.reject(new Error('the CLI still works on the prompt before this one'));
    const awaited = Promise.withResolvers<ResultMessage>();
    if (!this.living) return Promise.reject(new Error('the CLI has ended'));
    this.awaited = awaited;
    this.write({
      type: 'user',
      message: { role: 'user', content: text },
      uuid: crypto.randomUUID(),
    });
    return awaited.promise;
  }

  /** Waits until the hive's MCP server is connected, asking the CLI to connect again where it gave up. */
  async connectHive(): Promise<void> {
    const { clock, connectMs } = this.options;
    let until: number | undefined;
    for (;;) {
      const answer = await this.control({ subtype: 'mcp_status' });
      // A CLI that does not know the question says it when the prompt begins.
      if (answer.subtype !== 'success') return;
      const status = hiveStatus(answer.response);
      if (status === 'connected') return;
      until ??= clock.monotonic() + connectMs;
      if (clock.monotonic() > until) {
        throw new Error(`the CLI did not connect to the hive's MCP server (${status})`);
      }
      if (status !== 'pending') {
        await this.control({ subtype: 'mcp_reconnect', serverName: HIVE_SERVER });
      }
      await clock.sleep(CONNECT_LOOK_MS);
    }
  }

  /** Nobody listens until the next turn. */
  mute(): void {
    this.listener = DEAF;
  }

  interrupt(): void {
    if (!this.living) return;
    this.write({
      type: 'control_request',
      request_id: crypto.randomUUID(),
      request: { subtype: 'interrupt' },
    });
  }

  /** No more prompts: an idle process exits by itself within milliseconds. */
  closeInput(): void {
    this.child.stdin?.end();
  }

  terminate(): void {
    if (this.living && this.child.pid !== undefined) signal(this.child.pid, 'SIGTERM');
  }

  kill(): void {
    if (this.living && this.child.pid !== undefined) signal(this.child.pid, 'SIGKILL');
  }

  private async control(request: Record<string, unknown>): Promise<Answer> {
    const id = crypto.randomUUID();
    const answered = Promise.withResolvers<Answer | undefined>();
    const given = new AbortController();
    this.answers.set(id, answered.resolve);
    if (this.living) this.write({ type: 'control_request', request_id: id, request });
    else answered.resolve(undefined);
    void this.options.clock.sleep(CONTROL_MS, given.signal).then(() => answered.resolve(undefined));
    const answer = await answered.promise;
    given.abort();
    this.answers.delete(id);
    if (answer) return answer;
    throw new Error(
      this.living ? `the CLI did not answer within ${CONTROL_MS} ms` : await this.ended,
    );
  }

  private take(line: string): void {
    if (line.trim() === '') return;
    let message: StreamMessage;
    try {
      message = JSON.parse(line) as StreamMessage;
    } catch {
      this.listener.onStderr(line);
      return;
    }
    if (message.type === 'control_response') {
      // Never shown to anybody: the status of an MCP server holds its bearer token.
      const answer = message['response'] as Answer;
      this.answers.get(answer.request_id)?.(answer);
      return;
    }
    if (message.type === 'control_request') this.refuse(message);
    this.listener.onMessage(message);
    if (message.type === 'result') {
      this.awaited?.resolve(message);
      this.awaited = undefined;
    }
  }

  /** The CLI asks for a permission or a hook: the harness offers neither. */
  private refuse(message: StreamMessage): void {
    const error = 'the harness answers no questions';
    const response = { subtype: 'error', request_id: message['request_id'], error };
    this.write({ type: 'control_response', response });
  }

  private write(message: object): void {
    try {
      this.child.stdin?.write(`${JSON.stringify(message)}\n`);
    } catch (error) {
      this.listener.onStderr(reasonOf(error));
    }
  }

  private end(how: string): void {
    if (!this.living) return;
    this.living = false;
    const reason = [how, this.stderrTail.trim()].filter(Boolean).join(': ');
    this.ending.resolve(reason);
    this.awaited?.reject(new Error(reason));
    this.awaited = undefined;
    for (const answer of this.answers.values()) answer(undefined);
  }
}

function hiveStatus(response: Record<string, unknown> | undefined): string {
  const servers = response?.['mcpServers'] as { name: string; status: string }[] | undefined;
  return servers?.find((server) => server.name === HIVE_SERVER)?.status ?? 'not configured';
}

function describeExit(code: number | null, by: NodeJS.Signals | null): string {
  return by === null ? `the CLI ended with exit code ${code}` : `the CLI was ended by ${by}`;
}
