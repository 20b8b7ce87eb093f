import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import type { PartialMessage, ResultMessage } from './stream-message.js';
import { UsageCounter } from './usage-counter.js';

const started = (id: string, usage: object, parent?: string): PartialMessage => ({
  type: 'stream_event',
  parent_tool_use_id: parent ?? null,
  event: { type: 'message_start', message: { id, usage } },
});
const delta = (id: string, usage: object): PartialMessage => ({
  type: 'stream_event',
  api_message_id: id,
  event: { type: 'message_delta', usage },
});
const result = (since: ResultMessage['model_usage_since_last_result']): ResultMessage => ({
  type: 'result',
  modelUsage: { sonnet: { contextWindow: 200_000 }, haiku: { contextWindow: 100_000 } },
  model_usage_since_last_result: since,
});

describe(verifies('6.1') + 'usage of a turn', () => {
  it('counts a streamed request while it runs, with the last numbers that came', () => {
    const counter = new UsageCounter();
    counter.useModel('sonnet');
    counter.partial(
      started('a', { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 1 }),
    );
    counter.partial(delta('a', { output_tokens: 40 }));
    counter.partial(started('b', { input_tokens: 20, output_tokens: 1 }));
    expect(counter.total()).toEqual({
      model: 'sonnet',
      input_tokens: 30,
      output_tokens: 41,
      cache_read_input_tokens: 5,
      cache_creation_input_tokens: 0,
      context_tokens: 20,
      cost_usd: null,
    });
  });

  it('takes the result instead, which knows requests that are not streamed', () => {
    const counter = new UsageCounter();
    counter.useModel('sonnet');
    counter.partial(started('a', { input_tokens: 10, cache_creation_input_tokens: 7 }));
    counter.result(
      result({
        sonnet: { inputTokens: 12, outputTokens: 3, costUSD: 0.25, costBasis: 'list' },
        haiku: { inputTokens: 1, cacheReadInputTokens: 2, costUSD: 0.5, costBasis: 'list' },
      }),
    );
    counter.result(result({ sonnet: { inputTokens: 100, costUSD: 0.25 } }));
    expect(counter.total()).toMatchObject({
      input_tokens: 113,
      output_tokens: 3,
      cache_read_input_tokens: 2,
      cache_creation_input_tokens: 0,
      context_tokens: 17,
      cost_usd: 1,
    });
    expect(counter.contextWindow).toBe(200_000);
  });

  it('does not let a subagent set the context', () => {
    const counter = new UsageCounter();
    counter.partial(started('a', { input_tokens: 10 }));
    counter.partial(started('b', { input_tokens: 99 }, 'toolu_1'));
    expect(counter.total().context_tokens).toBe(10);
  });

  it('counts the usage that an old CLI repeats on each block once', () => {
    const counter = new UsageCounter();
    counter.request('a', { input_tokens: 10, output_tokens: 2 }, true);
    counter.request('a', { input_tokens: 10, output_tokens: 2 }, true);
    expect(counter.total()).toMatchObject({ input_tokens: 10, output_tokens: 2 });
    counter.result({ type: 'result', usage: { input_tokens: 10, output_tokens: 30 } });
    expect(counter.total()).toMatchObject({ input_tokens: 10, output_tokens: 30, cost_usd: null });
  });

  it('gives no cost when a price is only guessed', () => {
    const counter = new UsageCounter();
    counter.result(result({ other: { inputTokens: 1, costUSD: 9, costBasis: 'unknown' } }));
    expect(counter.total()).toMatchObject({ input_tokens: 1, cost_usd: null });
  });

  it('adds what was spent before the turn', () => {
    const counter = new UsageCounter();
    counter.carry({ ...new UsageCounter().total(), input_tokens: 5, cost_usd: 0.5 });
    counter.result(result({ sonnet: { inputTokens: 1, costUSD: 0.25 } }));
    expect(counter.total()).toMatchObject({ input_tokens: 6, cost_usd: 0.75 });
  });
});
