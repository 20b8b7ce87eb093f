import path from 'node:path';

import { AGENT_MARK_VARIABLE } from '#libs/protocol';

import type { HarnessEnvironment } from '../environment/environment.js';
import { fs } from '../platform/builtins.js';
import { MARK_VARIABLE } from './marked-processes.js';

/**
 * Variables of the harness' own environment that a CLI may see: what programs need to find others, to write text in the
 * right language and to reach the network through the machine's proxy. Everything else stays outside.
 */
const PASSED_ON = [
  AGENT_MARK_VARIABLE,
  'PATH',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'LANGUAGE',
  'TZ',
  'USER',
  'LOGNAME',
  'SHELL',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
];

/** Names that a configuration may never set (P31). */
const REFUSED = /^(HIVE_.*|LD_.*|NODE_OPTIONS|PATH)$/;

export interface ChildEnvironmentOptions {
  environment: HarnessEnvironment;
  /** The harness' own environment. */
  from: NodeJS.ProcessEnv;
  mark: string;
  /** File with the run's token (P2). */
  runTokenFile: string;
  /** Set by the driver; the configuration may override these. */
  defaults?: Record<string, string>;
  /** `env` of the agent's configuration. */
  configured: Record<string, string>;
  /** Only for drivers that start a process per turn. */
  turnId?: string;
}

/** The whole environment of a CLI. Makes the folders that it names. */
export function childEnvironment(options: ChildEnvironmentOptions): Record<string, string> {
  const { environment, from } = options;
  const folders = {
    HOME: environment.homeDir,
    CLAUDE_CONFIG_DIR: path.join(environment.homeDir, '.claude'),
    TMPDIR: path.join(environment.homeDir, 'tmp'),
  };
  for (const folder of Object.values(folders))
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const passed = PASSED_ON.filter((name) => from[name] !== undefined);
  const configured = Object.entries(options.configured).filter(([name]) => !REFUSED.test(name));
  const outer: Record<string, string> = {
    ...Object.fromEntries(passed.map((name) => [name, from[name] as string])),
    PATH: searchPath(from['PATH']),
    ...folders,
    ...options.defaults,
    ...Object.fromEntries(configured),
  };
  return {
    ...outer,
    ...pastProxy(outer, environment.gatewayUrl),
    HIVE_AGENT: environment.agent,
    HIVE_ROLE: environment.role,
    HIVE_GATEWAY_URL: environment.gatewayUrl,
    HIVE_TOKEN_FILE: options.runTokenFile,
    HIVE_STATE_DIR: environment.stateDir,
    HIVE_SHARED_DIR: environment.sharedDir,
    HIVE_DOCS_DIR: environment.docsDir,
    HIVE_CONFIG_DIR: environment.configDir,
    HIVE_REV: environment.rev,
    [MARK_VARIABLE]: options.mark,
    ...(options.turnId === undefined ? {} : { HIVE_TURN_ID: options.turnId }),
  };
}

/** The gateway is never reached by a proxy. */
function pastProxy(env: Record<string, string>, gatewayUrl: string): Record<string, string> {
  if (!Object.keys(env).some((name) => /^https?_proxy$/i.test(name))) return {};
  const hosts = [env['NO_PROXY'] ?? env['no_proxy'], new URL(gatewayUrl).hostname];
  const value = hosts.filter(Boolean).join(',');
  return { NO_PROXY: value, no_proxy: value };
}

/** PATH with the harness' own Node at its end, so that `node` works where none is installed. */
function searchPath(path_: string | undefined): string {
  const own = path.dirname(process.execPath);
  return path_ === undefined || path_ === ''
    ? `/usr/local/bin:/usr/bin:/bin:${own}`
    : `${path_}:${own}`;
}
