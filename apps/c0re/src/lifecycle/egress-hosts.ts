import type { AgentConfig } from '#libs/protocol';

import { networkOf } from './agent-bounds.js';

const ANTHROPIC = [
  'api.anthropic.com',
  'platform.claude.com',
  'console.anthropic.com',
  'claude.ai',
];
const OPENAI = ['api.openai.com', 'auth.openai.com', 'chatgpt.com'];
/** Names by which a driver's CLI reaches its provider: the model, and signing in to it. */
const PROVIDER_HOSTS: Readonly<Partial<Record<AgentConfig['driver'], readonly string[]>>> = {
  claude: ANTHROPIC,
  codex: OPENAI,
  acp: [...ANTHROPIC, ...OPENAI, 'generativelanguage.googleapis.com', 'oauth2.googleapis.com'],
};
/** Ports of a listed host that names none. */
const USUAL_PORTS = [443, 80];

/** Where the agent's `model` network leads, as `host:port` (P35); nowhere with `none`. */
export function egressHosts(config: AgentConfig): string[] {
  if (networkOf(config) !== 'model') return [];
  const provider = PROVIDER_HOSTS[config.driver] ?? [];
  return [...provider.map((host) => `${host}:443`), ...config.network_allow.flatMap(withPort)];
}

function withPort(entry: string): string[] {
  const address = /^\[(.*)\]:(\d+)$/.exec(entry);
  if (address) return [`${address[1]}:${address[2]}`];
  const isBareIpv6 = entry.split(':').length > 2;
  if (!isBareIpv6 && /:\d+$/.test(entry)) return [entry];
  return USUAL_PORTS.map((port) => `${entry}:${port}`);
}
