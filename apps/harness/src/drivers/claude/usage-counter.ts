import type { TurnUsage } from '../turn-driver.js';
import type { ModelUsage, PartialMessage, ResultMessage, TokenCounts } from './stream-message.js';

type Counts = Required<TokenCounts>;
const NONE: Counts = {
  input_tokens: 0,
  output_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
};

/**
 * Adds up what the API reported in one turn. While a prompt runs, the stream's own events are counted per message; its
 * result replaces them, because only the result knows the requests that are not streamed (compaction). A CLI that dies
 * leaves what was streamed.
 */
export class UsageCounter {
  private settled: Counts = { ...NONE };
  private readonly running = new Map<string, Counts>();
  private cost: number | null = 0;
  private model: string | null = null;
  private context: number | null = null;
  private window: number | null = null;

  /** Size of the model's context window, once a result told it. */
  get contextWindow(): number | null {
    return this.window;
  }

  get contextTokens(): number | null {
    return this.context;
  }

  useModel(model: string): void {
    this.model = model;
  }

  /** The context after a compaction, as the CLI estimates it; null when it does not say. */
  compactedTo(tokens: number | null): void {
    this.context = tokens;
  }

  partial(message: PartialMessage): void {
    const { event } = message;
    const id = event.message?.id ?? message.api_message_id ?? '';
    if (event.type === 'message_start' && event.message?.usage) {
      this.request(id, event.message.usage, !message.parent_tool_use_id);
    } else if (event.type === 'message_delta' && event.usage) {
      const before = this.running.get(id) ?? NONE;
      this.running.set(id, { ...before, ...known(event.usage) });
    }
  }

  /** A message's usage without partial messages: its output count is only the first one. */
  request(id: string, usage: TokenCounts, isMainThread: boolean): void {
    if (!this.running.has(id)) this.running.set(id, { ...NONE, ...known(usage) });
    if (isMainThread) this.context = promptTokens(usage);
  }

  result(result: ResultMessage): void {
    const perModel = result.model_usage_since_last_result;
    if (perModel) {
      for (const usage of Object.values(perModel)) this.addModel(usage);
    } else {
      add(this.settled, { ...NONE, ...known(result.usage ?? {}) });
      this.cost = null; // Without the difference the cost of this turn is not known.
    }
    this.running.clear();
    const main = (this.model && result.modelUsage?.[this.model]) || undefined;
    const windows = Object.values(result.modelUsage ?? {}).map((usage) => usage.contextWindow ?? 0);
    this.window = main?.contextWindow ?? (windows.length > 0 ? Math.max(...windows) : null) ?? null;
  }

  total(): TurnUsage {
    const counts = { ...this.settled };
    for (const usage of this.running.values()) add(counts, usage);
    return {
      model: this.model,
      ...counts,
      context_tokens: this.context,
      cost_usd: this.running.size > 0 ? null : this.cost,
    };
  }

  /** Counts what was spent outside of any turn, a compaction that the operator asked for. */
  carry(usage: TurnUsage): void {
    add(this.settled, usage);
    this.cost = this.cost === null || usage.cost_usd === null ? null : this.cost + usage.cost_usd;
  }

  private addModel(usage: ModelUsage): void {
    add(this.settled, {
      input_tokens: usage.inputTokens ?? 0,
      output_tokens: usage.outputTokens ?? 0,
      cache_read_input_tokens: usage.cacheReadInputTokens ?? 0,
      cache_creation_input_tokens: usage.cacheCreationInputTokens ?? 0,
    });
    const isPriced = usage.costUSD !== undefined && usage.costBasis !== 'unknown';
    this.cost = this.cost === null || !isPriced ? null : this.cost + (usage.costUSD ?? 0);
  }
}

function promptTokens(usage: TokenCounts): number {
  const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens } = {
    ...NONE,
    ...known(usage),
  };
  return input_tokens + cache_read_input_tokens + cache_creation_input_tokens;
}

/** The counts that are really there: an event may leave some out. */
function known(usage: TokenCounts): Partial<Counts> {
  const entries = (Object.keys(NONE) as (keyof Counts)[])
    .map((key) => [key, usage[key]] as const)
    .filter(([, value]) => typeof value === 'number');
  return Object.fromEntries(entries);
}

function add(to: Counts, more: Counts): void {
  for (const key of Object.keys(NONE) as (keyof Counts)[]) to[key] += more[key];
}
