import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';

import {
  isoTime,
  LIMITS,
  type EndAnswer,
  type EndRequest,
  type HelloRequest,
  type PollAnswer,
  type PollRequest,
  type SendResult,
} from '#libs/protocol';

import type { BenchAgent } from '../bench-agents.js';
import type { Door, Received } from './door.js';

/**
 * The harness API over HTTP: `wake` is the send, a granted turn is the receipt, its `end` the ack. One turn per message,
 * so three requests each.
 */
export class HarnessDoor implements Door {
  private readonly connections = new Agent({ keepAlive: true });
  private readonly turns = new Map<string, string>();

  private constructor(private readonly gatewayUrl: string) {}

  static async open(gatewayUrl: string, agents: readonly BenchAgent[]): Promise<HarnessDoor> {
    const door = new HarnessDoor(gatewayUrl);
    const hello: HelloRequest = {
      instance: 1,
      driver: 'command',
      model: null,
      hyperhive_rev: 'bench',
      started_at: isoTime(Date.now()),
      ends: [],
    };
    for (const agent of agents) await door.post(agent, '/hello', hello);
    return door;
  }

  async send(_from: BenchAgent, to: BenchAgent, body: string): Promise<string> {
    const { id } = await this.post<SendResult>(to, '/wake', { from: 'bench', body });
    return id;
  }

  async receive(agent: BenchAgent): Promise<Received> {
    const poll: PollRequest = {
      instance: 1,
      run_token_hash: createHash('sha256').update(`run of ${agent.name}`).digest('hex'),
      last_turn_id: this.turns.get(agent.name) ?? null,
      wait_seconds: LIMITS.poll_wait_seconds,
      confirm: [],
    };
    const { turn } = await this.post<PollAnswer>(agent, '/turns', poll);
    const [message] = turn?.messages ?? [];
    if (!turn || !message) throw new Error('no turn was granted');
    this.turns.set(agent.name, turn.turn_id);
    return {
      id: message.id,
      ack: async () => {
        const path = `/turns/${turn.turn_id}/end`;
        const answer = await this.post<EndAnswer>(agent, path, endOf([message.id]));
        if (answer.acked.length !== 1) throw new Error('the turn acked nothing');
      },
    };
  }

  close(): Promise<void> {
    this.connections.destroy();
    return Promise.resolve();
  }

  private post<T>(agent: BenchAgent, path: string, body: unknown): Promise<T> {
    const payload = JSON.stringify(body);
    return new Promise<T>((resolve, reject) => {
      const outgoing = request(
        `${this.gatewayUrl}/harness/v1${path}`,
        {
          method: 'POST',
          agent: this.connections,
          headers: {
            authorization: `Bearer ${agent.token}`,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(payload),
          },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            if (answer.statusCode === 200) resolve(JSON.parse(text) as T);
            else reject(new Error(`${path} was answered ${answer.statusCode}: ${text}`));
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
  }
}

function endOf(shown: string[]): EndRequest {
  const now = isoTime(Date.now());
  return {
    instance: 1,
    result_kind: 'ok',
    shown,
    note: '',
    telemetry: {
      started_at: now,
      ended_at: now,
      duration_ms: 0,
      model: null,
      input_tokens: 0,
      output_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
      context_tokens: null,
      tool_call_count: 0,
      tool_call_breakdown: {},
      bytes_streamed: 0,
      cost_usd: null,
    },
  };
}
