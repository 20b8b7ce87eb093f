import type { HarnessConfig } from '#libs/protocol';

import type { HarnessEnvironment } from '../../environment/environment.js';
import { fs } from '../../platform/builtins.js';

/** Name of the hive's MCP server: the CLI calls its tools `mcp__hyperhive__…`. */
export const HIVE_SERVER = 'hyperhive';
/** A call may block this long: `recv` waits up to 180 s. */
const MCP_TIMEOUT_MS = 600_000;

/** Environment of the CLI that makes it quiet and leaves to the harness what is the harness' work. */
export const CLAUDE_DEFAULTS: Record<string, string> = {
  // No look-ups, no telemetry, no updates: the CLI talks to the model and to its MCP servers only.
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
  DISABLE_TELEMETRY: '1',
  DISABLE_ERROR_REPORTING: '1',
  // The hive returns the messages of a failed turn and backs off; the CLI's ten retries take three minutes.
  CLAUDE_CODE_MAX_RETRIES: '2',
  // The harness compacts, after a checkpoint.
  DISABLE_AUTO_COMPACT: '1',
  // "@/etc/passwd" in a peer's message would put that file into the prompt.
  CLAUDE_CODE_DISABLE_FILE_MENTIONS: '1',
  // A task that ends in the background would begin a turn that no lease covers.
  CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
};

export interface CliArgumentsOptions {
  config: HarnessConfig;
  environment: HarnessEnvironment;
  model: string | null;
  mcpConfigFile: string;
  systemPrompt: string;
  session: { id: string; resume: boolean };
}

/** Arguments of the CLI (measured with 2.1.330). Works as root too: nothing skips permissions. */
export function cliArguments(options: CliArgumentsOptions): string[] {
  const { config, environment, model, session } = options;
  const builtIn = config.allowed_tools.filter((tool) => !tool.startsWith('mcp__'));
  const folders = [environment.sharedDir, environment.docsDir].filter((it) => fs.existsSync(it));
  return [
    ['-p', '--input-format', 'stream-json'],
    // stream-json asks for --verbose; partial messages carry the usage of an answer that never ends.
    ['--output-format', 'stream-json', '--verbose', '--include-partial-messages'],
    ['--mcp-config', options.mcpConfigFile, '--strict-mcp-config'],
    ['--setting-sources', ''],
    ['--tools', [...new Set(builtIn.map(toolName))].join(',')],
    ['--allowedTools', ...allowedTools(config)],
    ['--permission-prompts', 'none'],
    folders.length > 0 ? ['--add-dir', ...folders] : [],
    // A resumed session would otherwise keep the system prompt that it began with.
    ['--append-system-prompt', options.systemPrompt, '--system-prompt-snapshot', 'off'],
    model === null ? [] : ['--model', model],
    session.resume ? ['--resume', session.id] : ['--session-id', session.id],
  ].flat();
}

/** What may be used without asking: the listed tools, the hive's, and those of extra servers that no entry narrows. */
export function allowedTools(
  config: Pick<HarnessConfig, 'allowed_tools' | 'mcp_servers'>,
): string[] {
  const listed = config.allowed_tools;
  const whole = [HIVE_SERVER, ...extraServers(config).map(([name]) => name)]
    .map((name) => `mcp__${name}`)
    .filter((prefix) => {
      const isNarrowed = listed.some((tool) => tool === prefix || tool.startsWith(`${prefix}__`));
      return prefix === `mcp__${HIVE_SERVER}` || !isNarrowed;
    });
  return [...listed, ...whole];
}

/** The CLI's MCP configuration: the hive with the run's token, always loaded, and the agent's own servers. */
export function mcpConfig(
  config: Pick<HarnessConfig, 'mcp_servers'>,
  gatewayUrl: string,
  token: string,
): string {
  const extra = extraServers(config).map(([name, server]) => {
    const isHttp = typeof server === 'object' && server !== null && 'url' in server;
    return [name, { type: isHttp ? 'http' : 'stdio', ...(server as object) }] as const;
  });
  return JSON.stringify({
    mcpServers: {
      ...Object.fromEntries(extra),
      [HIVE_SERVER]: {
        type: 'http',
        url: `${gatewayUrl}/mcp`,
        headers: { Authorization: `Bearer ${token}` },
        // Otherwise the model sees only the tools' names and has to search for them.
        alwaysLoad: true,
        timeout: MCP_TIMEOUT_MS,
      },
    },
  });
}

/** The agent's own servers; none of them can take the hive's name. */
function extraServers(config: Pick<HarnessConfig, 'mcp_servers'>): [string, unknown][] {
  return Object.entries(config.mcp_servers).filter(([name]) => name !== HIVE_SERVER);
}

/** `Bash` of `Bash(git *)`. */
function toolName(tool: string): string {
  return tool.split('(')[0]?.trim() ?? tool;
}
