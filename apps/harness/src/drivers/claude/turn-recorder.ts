import type { NewEvent } from '../../reports/event-text.js';
import { HIVE_SERVER } from './cli-arguments.js';
import { shownIds } from './shown-messages.js';
import {
  blocksOf,
  textOf,
  type ContentBlock,
  type InitMessage,
  type PartialMessage,
  type SaidMessage,
  type StreamMessage,
} from './stream-message.js';
import { UsageCounter } from './usage-counter.js';

/** Types that say nothing a person would want to read. */
const SILENT = new Set([
  'command_lifecycle',
  'control_response',
  'control_request',
  'control_cancel_request',
  'keep_alive',
  'tool_progress',
  'rate_limit_event',
  'result',
]);

const HIVE_PREFIX = `mcp__${HIVE_SERVER}__`;
/**
 * What the CLI says of a call whose server it could not reach; everything else is the hive's own refusal. The call may
 * have been carried out, or not.
 */
const UNREACHABLE =
  /MCP server "hyperhive" is not connected|Unable to connect|ECONNREFUSED|ECONNRESET|[Cc]onnection closed|transport dropped mid-call|No such tool available|sent no response or progress|operation timed out/;

export interface RecorderEvents {
  emit(event: NewEvent): void;
  onCompacting(): void;
  /** A call to the hive failed because it could not be reached. */
  onHiveLost(): void;
}

/** Reads everything the CLI says in one turn: what happened, what it cost, what it was shown. */
export class TurnRecorder {
  readonly usage = new UsageCounter();
  readonly toolCalls: Record<string, number> = {};
  readonly shown = new Set<string>();
  bytes = 0;
  /** Kind of the last API error. */
  lastError: string | undefined;
  /** State of the hive's MCP server, as the CLI said when the prompt began. */
  hiveStatus: string | undefined;
  /** Whether the last compaction went well; undefined before one. */
  compaction: 'success' | 'failed' | undefined;
  /** How the last call to the hive failed, when that was because the hive could not be reached. */
  hiveLost: string | undefined;
  private readonly toolNames = new Map<string, string>();

  constructor(private readonly events: RecorderEvents) {}

  take(message: StreamMessage): void {
    switch (message.type) {
      case 'system':
        return this.system(message);
      case 'stream_event':
        return this.usage.partial(message as PartialMessage);
      case 'assistant':
        return this.assistant(message as SaidMessage);
      case 'user':
        return this.user(message as SaidMessage);
      case 'result':
        return this.usage.result(message);
      default:
        if (!SILENT.has(message.type)) {
          this.events.emit({ kind: 'raw', text: JSON.stringify(message) });
        }
    }
  }

  private system(message: StreamMessage): void {
    switch (message.subtype ?? '') {
      case 'init': {
        const { model, mcp_servers } = message as InitMessage;
        this.usage.useModel(model);
        const hive = mcp_servers?.find((server) => server.name === HIVE_SERVER);
        this.hiveStatus = hive?.status ?? 'not configured';
        break;
      }
      case 'status': {
        if (message['status'] === 'compacting') this.events.onCompacting();
        const outcome = message['compact_result'];
        if (outcome === 'success' || outcome === 'failed') this.compaction = outcome;
        break;
      }
      case 'compact_boundary': {
        const data = message['compact_metadata'] as { pre_tokens?: number; post_tokens?: number };
        this.usage.compactedTo(data?.post_tokens ?? null);
        const sizes = `${data?.pre_tokens ?? '?'} to ${data?.post_tokens ?? '?'} tokens`;
        this.note(`the session was compacted: ${sizes}`);
        break;
      }
      case 'api_retry':
        this.note(
          `the model did not answer (${wordOf(message['error']) ?? 'no reason'}); asked again`,
        );
        break;
      case 'permission_denied':
        this.note(`not allowed: ${wordOf(message['tool_name']) ?? 'a tool'}`);
        break;
      case 'model_fallback':
      case 'informational':
      case 'notification':
        this.note(wordOf(message['message']) ?? wordOf(message['content']) ?? 'the CLI has news');
        break;
      default:
    }
  }

  private assistant(message: SaidMessage): void {
    const { id, usage } = message.message;
    if (message.error !== undefined) {
      this.lastError = message.error;
    } else if (id !== undefined && usage) {
      this.usage.request(id, usage, !message.parent_tool_use_id);
    }
    for (const block of blocksOf(message.message.content)) {
      if (block.type === 'text' && block.text) {
        this.events.emit({ kind: message.error === undefined ? 'text' : 'note', text: block.text });
      } else if (block.type === 'thinking' && block.thinking) {
        this.events.emit({ kind: 'thinking', text: block.thinking });
      } else if (block.type === 'tool_use' || block.type === 'server_tool_use') {
        this.toolUse(block);
      }
    }
  }

  private toolUse(block: ContentBlock): void {
    const { id = '', name = 'unknown', input } = block;
    if (this.toolNames.has(id)) return;
    this.toolNames.set(id, name);
    this.toolCalls[name] = (this.toolCalls[name] ?? 0) + 1;
    this.events.emit({ kind: 'tool_use', tool: name, tool_use_id: id, input });
  }

  private user(message: SaidMessage): void {
    for (const block of blocksOf(message.message.content)) {
      if (block.type !== 'tool_result') continue;
      const id = block.tool_use_id ?? '';
      const tool = this.toolNames.get(id) ?? 'unknown';
      const isError = block.is_error === true;
      if (tool.startsWith(HIVE_PREFIX)) this.hiveAnswered(isError ? textOf(block.content) : '');
      if (!isError) {
        for (const shown of shownIds(tool, block.content, message.tool_use_result)) {
          this.shown.add(shown);
        }
      }
      this.events.emit({
        kind: 'tool_result',
        tool,
        tool_use_id: id,
        text: textOf(block.content),
        ...(isError ? { is_error: true } : {}),
      });
    }
  }

  private hiveAnswered(errorText: string): void {
    this.hiveLost = UNREACHABLE.exec(errorText)?.[0];
    if (this.hiveLost !== undefined) this.events.onHiveLost();
  }

  private note(text: string): void {
    this.events.emit({ kind: 'note', text });
  }
}

function wordOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
