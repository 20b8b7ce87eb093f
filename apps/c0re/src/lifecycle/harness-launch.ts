import path from 'node:path';

import { HARNESS_NODE_FLAGS, type HarnessConfig } from '#libs/protocol';

import type { Agent } from '../agents/agent.entity.js';
import type { ContainerProgram } from '../containers/container-driver.js';
import type { ResolvedSecrets } from '../secrets/agent-secrets.service.js';
import type { C0reSettings } from '../settings/c0re.settings.js';
import type { AgentPaths } from '../settings/hive-home.js';

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
): ContainerProgram {
  const { home, nodePath } = settings;
  return {
    argv: [nodePath, ...HARNESS_NODE_FLAGS, settings.harnessMain],
    cwd: paths.state,
    logFile: home.log(agent.name),
    env: {
      // A `node` in an agent's command is the Node that the hive runs on.
      PATH: [path.dirname(nodePath), process.env['PATH'] ?? '/usr/bin:/bin'].join(':'),
      HOME: paths.home,
      LANG: 'C.UTF-8',
      HIVE_AGENT: agent.name,
      HIVE_ROLE: agent.role,
      HIVE_GATEWAY_URL: settings.gatewayUrl,
      HIVE_TOKEN_FILE: paths.token,
      HIVE_STATE_DIR: paths.state,
      HIVE_SHARED_DIR: home.shared,
      HIVE_DOCS_DIR: home.docs,
      HIVE_CONFIG_DIR: paths.applied,
      HIVE_INSTANCE: String(agent.instance),
      HIVE_REV: settings.rev,
      HIVE_WORK_DIR: paths.work,
      HIVE_HARNESS_CONFIG: paths.harnessConfig,
    },
  };
}
