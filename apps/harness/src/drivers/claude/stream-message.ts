/**
 * The parts of Claude Code's stream-json that the harness uses (measured with 2.1.330). Every field may be missing: the
 * CLI's version is the user's choice, and unknown messages are passed over.
 */
export interface StreamMessage {
  type: string;
  subtype?: string;
  session_id?: string;
  /** Set on what a subagent says. */
  parent_tool_use_id?: string | null;
  [field: string]: unknown;
}

export interface TokenCounts {
  input_tokens?: number;
  output_tokens?: number;
  cache_read_input_tokens?: number;
  cache_creation_input_tokens?: number;
}

export interface ContentBlock {
  type: string;
  text?: string;
  thinking?: string;
  id?: string;
  name?: string;
  input?: unknown;
  tool_use_id?: string;
  content?: unknown;
  is_error?: boolean;
}

/** `assistant` and `user`: one message per content block, the same id and usage on each. */
export interface SaidMessage extends StreamMessage {
  message: {
    id?: string;
    model?: string;
    content?: string | ContentBlock[];
    usage?: TokenCounts;
  };
  /** Kind of an API error; the message is then the CLI's own ("<synthetic>"). */
  error?: string;
  tool_use_result?: unknown;
}

export interface InitMessage extends StreamMessage {
  session_id: string;
  model: string;
  mcp_servers?: { name: string; status: string }[];
}

export interface ModelUsage {
  inputTokens?: number;
  outputTokens?: number;
  cacheReadInputTokens?: number;
  cacheCreationInputTokens?: number;
  costUSD?: number;
  contextWindow?: number;
  /** `list`: priced from the provider's list; anything else is a guess. */
  costBasis?: string;
}

/** End of what one prompt began. `subtype` is "success" for API errors too: only `is_error` counts. */
export interface ResultMessage extends StreamMessage {
  is_error?: boolean;
  result?: string;
  errors?: string[];
  terminal_reason?: string;
  api_error_status?: number | null;
  usage?: TokenCounts;
  total_cost_usd?: number;
  /** Of the whole session. */
  modelUsage?: Record<string, ModelUsage>;
  /** Since the result before: the requests of compactions, subagents and interrupted answers included. */
  model_usage_since_last_result?: Record<string, ModelUsage>;
}

/** With --include-partial-messages: the API's own stream events. */
export interface PartialMessage extends StreamMessage {
  event: {
    type: string;
    message?: { id?: string; model?: string; usage?: TokenCounts };
    usage?: TokenCounts;
  };
  api_message_id?: string;
}

/** Content as blocks, whatever form it came in. */
export function blocksOf(content: unknown): ContentBlock[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return Array.isArray(content) ? (content as ContentBlock[]) : [];
}

/** All text of some content. */
export function textOf(content: unknown): string {
  return blocksOf(content)
    .map((block) => (block.type === 'text' ? (block.text ?? '') : `[${block.type}]`))
    .join('\n');
}
