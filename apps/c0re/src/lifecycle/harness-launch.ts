import path from 'node:path';

import { HARNESS_NODE_FLAGS, type HarnessConfig } from '#libs/protocol';

import type { Agent } from '../agents/agent.entity.js';
import type { ContainerDriver, ContainerProgram } from '../containers/container-driver.js';
import type { ResolvedSecrets } from '../secrets/agent-secrets.service.js';
import type { C0reSettings } from '../settings/c0re.settings.js';
import type { AgentPaths } from '../settings/hive-home.js';
import { containerLimits, networkOf } from './agent-bounds.js';
import { agentMounts, INSIDE, insidePaths } from './agent-mounts.js';

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
  return {
    argv: [seen.node, ...HARNESS_NODE_FLAGS, seen.main],
    cwd: seen.state,
    logFile: home.log(agent.name),
    mounts,
    limits: containerLimits(agent.config.limits),
    network: networkOf(agent.config),
    env: {
      PATH: seen.search,
      HOME: seen.home,
      LANG: 'C.UTF-8',
      HIVE_AGENT: agent.name,
      HIVE_ROLE: agent.role,
      HIVE_GATEWAY_URL: settings.gatewayUrl,
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
