import path from 'node:path';

import { HiveError, ROLES, type Role } from '#libs/protocol';

/** What c0re gives a harness in its environment. */
export interface HarnessEnvironment {
  agent: string;
  role: Role;
  /** Without a trailing slash. */
  gatewayUrl: string;
  /** Unix socket of the gateway, where its URL is not to be reached: the harness relays the URL's address to it. */
  gatewaySocket: string | undefined;
  /** File with the agent's long-lived token. */
  tokenFile: string;
  stateDir: string;
  sharedDir: string;
  docsDir: string;
  configDir: string;
  instance: number;
  rev: string;
  /** Private folder of the harness; its parent is the agent's home. */
  workDir: string;
  homeDir: string;
  configFile: string;
  logLevel: string;
}

/** Reads and checks the environment. Throws one `invalid_config` that lists every bad value. */
export function readEnvironment(env: NodeJS.ProcessEnv): HarnessEnvironment {
  const problems: string[] = [];
  const text = (key: string): string => {
    const value = env[key] ?? '';
    if (value === '') problems.push(`${key} is not set`);
    return value;
  };
  const folder = (key: string): string => {
    const value = text(key);
    if (value !== '' && !path.isAbsolute(value)) {
      problems.push(`${key} is ${JSON.stringify(value)}, it must be an absolute path`);
    }
    return value;
  };

  const agent = text('HIVE_AGENT');
  const role = text('HIVE_ROLE');
  if (role !== '' && !(ROLES as readonly string[]).includes(role)) {
    problems.push(`HIVE_ROLE is ${JSON.stringify(role)}, allowed: ${ROLES.join(', ')}`);
  }
  const gatewayUrl = text('HIVE_GATEWAY_URL').replace(/\/+$/, '');
  if (gatewayUrl !== '' && !isHttpUrl(gatewayUrl)) {
    problems.push(
      `HIVE_GATEWAY_URL is ${JSON.stringify(gatewayUrl)}, it must be an http:// address`,
    );
  }
  const instanceText = text('HIVE_INSTANCE');
  const instance = Number(instanceText);
  if (instanceText !== '' && !(Number.isSafeInteger(instance) && instance > 0)) {
    problems.push(
      `HIVE_INSTANCE is ${JSON.stringify(instanceText)}, it must be a positive integer`,
    );
  }
  const workDir = folder('HIVE_WORK_DIR');
  const environment: HarnessEnvironment = {
    agent,
    role: role as Role,
    gatewayUrl,
    gatewaySocket: env['HIVE_GATEWAY_SOCKET'] || undefined,
    tokenFile: folder('HIVE_TOKEN_FILE'),
    stateDir: folder('HIVE_STATE_DIR'),
    sharedDir: folder('HIVE_SHARED_DIR'),
    docsDir: folder('HIVE_DOCS_DIR'),
    configDir: folder('HIVE_CONFIG_DIR'),
    instance,
    rev: text('HIVE_REV'),
    workDir,
    homeDir: path.dirname(workDir),
    configFile: folder('HIVE_HARNESS_CONFIG'),
    logLevel: env['HIVE_LOG_LEVEL'] ?? 'info',
  };
  if (problems.length > 0) {
    throw new HiveError(
      'invalid_config',
      `the harness cannot start: ${problems.join('; ')}. c0re sets these; start the agent through it`,
    );
  }
  return environment;
}

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && new URL(value).protocol === 'http:';
}
