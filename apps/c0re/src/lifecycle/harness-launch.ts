import path from 'node:path';

import { HARNESS_NODE_FLAGS, type HarnessConfig } from '#libs/protocol';

import type { Agent } from '../agents/agent.entity.js';
import type {
  ContainerDriver,
  ContainerNetwork,
  ContainerProgram,
} from '../containers/container-driver.js';
import type { ResolvedSecrets } from '../secrets/agent-secrets.service.js';
import type { C0reSettings } from '../settings/c0re.settings.js';
import type { AgentPaths } from '../settings/hive-home.js';
import { containerLimits, networkOf } from './agent-bounds.js';
import { agentMounts, INSIDE, insidePaths } from './agent-mounts.js';

/** The gateway's socket as a container sees it. */
const SOCKET_INSIDE = '/run/hive/gateway.sock';

/** What c0re writes for the agent's harness. */
export function harnessConfig(agent: Agent, secrets: ResolvedSecrets): HarnessConfig {
  const { config } = agent;
  return {
    name: agent.name,
    role: agent.role,
    driver: config.driver,
    command: config.command,
    model: config.model,
    system_prompt: config.system_prompt,
    env: secrets.env,
    mcp_servers: secrets.mcp_servers,
    allowed_tools: config.allowed_tools,
    allowed_recipients: config.allowed_recipients,
    auto_compact_watermark: config.auto_compact.watermark,
    turn_seconds: config.limits.turn_seconds,
  };
}

/** How the harness of that instance is run; its environment holds nothing of c0re's own. */
export function harnessProgram(
  settings: C0reSettings,
  agent: Agent,
  paths: AgentPaths,
  { hasOwnFiles }: Pick<ContainerDriver, 'hasOwnFiles'>,
): ContainerProgram {
  const { home, nodePath, harnessMain } = settings;
  const { mounts, main } = agentMounts(settings, agent.name, paths);
  const host = {
    ...paths,
    shared: home.shared,
    docs: home.docs,
    node: nodePath,
    main: harnessMain,
    // A `node` in an agent's command is the Node that the hive runs on.
    search: [path.dirname(nodePath), process.env['PATH'] ?? '/usr/bin:/bin'].join(':'),
  };
  const inside = { ...insidePaths(agent.name), node: INSIDE.node, main, search: INSIDE.search };
  const seen = hasOwnFiles ? inside : host;
  const network = networkOf(agent.config);
  return {
    argv: [seen.node, ...HARNESS_NODE_FLAGS, seen.main],
    cwd: seen.state,
    logFile: home.log(agent.name),
    mounts,
    limits: containerLimits(agent.config.limits),
    network,
    env: {
      PATH: seen.search,
      HOME: seen.home,
      LANG: 'C.UTF-8',
      HIVE_AGENT: agent.name,
      HIVE_ROLE: agent.role,
      ...(hasOwnFiles
        ? gatewayOf(settings.gatewayUrl, network)
        : { HIVE_GATEWAY_URL: settings.gatewayUrl }),
      HIVE_TOKEN_FILE: seen.token,
      HIVE_STATE_DIR: seen.state,
      HIVE_SHARED_DIR: seen.shared,
      HIVE_DOCS_DIR: seen.docs,
      HIVE_CONFIG_DIR: seen.applied,
      HIVE_INSTANCE: String(agent.instance),
      HIVE_REV: settings.rev,
      HIVE_WORK_DIR: seen.work,
      HIVE_HARNESS_CONFIG: seen.harnessConfig,
    },
  };
}

/**
 * How a container reaches the gateway (P35). Without the host's network the harness relays the address to the socket in
 * its run folder, and with `model` the same address is the proxy by which its programs get out.
 */
function gatewayOf(gatewayUrl: string, network: ContainerNetwork): Record<string, string> {
  if (network === 'full') return { HIVE_GATEWAY_URL: gatewayUrl };
  const url = `http://127.0.0.1:${new URL(gatewayUrl).port || 80}`;
  const socket = { HIVE_GATEWAY_URL: url, HIVE_GATEWAY_SOCKET: SOCKET_INSIDE };
  if (network === 'none') return socket;
  const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'];
  return { ...socket, ...Object.fromEntries(proxies.map((name) => [name, url])) };
}
