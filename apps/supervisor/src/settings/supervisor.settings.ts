import { existsSync } from 'node:fs';
import path from 'node:path';

import type { Container } from '#libs/protocol';
import { BadConfigurationError, loadEnv } from '#libs/service';

import { SETTINGS, type StartOptions } from './start-options.js';
import { SupervisorEnv } from './supervisor.env.js';

/** Where a server of ours listens. */
export interface Address {
  /** Option that chooses another port, for messages. */
  setting: 'HIVE_DASHBOARD_PORT' | 'HIVE_GATEWAY_PORT';
  host: string;
  port: number;
}

/** Everything the operator chose, validated. */
export interface SupervisorSettings {
  /** Absolute path of the state folder, as given (links not yet resolved). */
  home: string;
  redisUrl: string | undefined;
  dashboard: Address;
  gateway: Address;
  operatorToken: string | undefined;
  containerDriver: Container | undefined;
  /** What agents must reach besides the hive's own, though it lies below a folder that only root may enter. */
  reachable: readonly string[];
  /** How long what is kept, in days (PRODUCT 1.10, 6.5). */
  keepDays: { messages: number; turns: number; events: number };
  logLevel: string;
  demo: boolean;
}

/**
 * The settings from the environment and the words after `npm start --`; the latter win.
 * @throws BadConfigurationError that lists every bad value.
 */
export function readSettings(
  options: StartOptions,
  environment: Record<string, string | undefined>,
  workingFolder: string,
): SupervisorSettings {
  const given: Record<string, string | undefined> = {};
  for (const key of Object.keys(SETTINGS)) given[key] = options.values[key] ?? environment[key];
  const problems = [...options.problems];
  let env: Readonly<SupervisorEnv> | undefined;
  try {
    env = loadEnv(SupervisorEnv, given);
  } catch (error) {
    if (!(error instanceof BadConfigurationError)) throw error;
    problems.push(...error.problems);
  }
  if (env?.HIVE_DASHBOARD_PORT !== undefined && env.HIVE_DASHBOARD_PORT === env.HIVE_GATEWAY_PORT) {
    problems.push(
      `HIVE_GATEWAY_PORT=${env.HIVE_GATEWAY_PORT}: the dashboard has this port (HIVE_DASHBOARD_PORT); each needs its own`,
    );
  }
  const home = path.resolve(workingFolder, given['HIVE_HOME'] || './.hive');
  if (home === path.parse(home).root) {
    problems.push(`HIVE_HOME=${JSON.stringify(home)}: allowed is a folder of the hive's own`);
  }
  for (const wanted of env?.HIVE_REACHABLE?.split(':').filter(Boolean) ?? []) {
    if (!path.isAbsolute(wanted) || !existsSync(wanted)) {
      problems.push(`HIVE_REACHABLE=${JSON.stringify(wanted)}: allowed are paths that exist`);
    }
  }
  if (!env || problems.length > 0) throw new BadConfigurationError(problems);
  return {
    home,
    redisUrl: env.HIVE_REDIS_URL,
    dashboard: {
      setting: 'HIVE_DASHBOARD_PORT',
      host: env.HIVE_DASHBOARD_HOST,
      port: env.HIVE_DASHBOARD_PORT,
    },
    gateway: {
      setting: 'HIVE_GATEWAY_PORT',
      host: env.HIVE_GATEWAY_HOST,
      port: env.HIVE_GATEWAY_PORT,
    },
    operatorToken: env.HIVE_OPERATOR_TOKEN,
    containerDriver: env.HIVE_CONTAINER_DRIVER,
    reachable: env.HIVE_REACHABLE?.split(':').filter(Boolean) ?? [],
    keepDays: {
      messages: env.HIVE_MESSAGE_DAYS,
      turns: env.HIVE_TURN_DAYS,
      events: env.HIVE_EVENT_DAYS,
    },
    logLevel: env.HIVE_LOG_LEVEL,
    demo: options.demo,
  };
}

/** Variables that look like settings of the hive and are none, most likely misspelt ones. */
export function unknownVariables(environment: Record<string, string | undefined>): string[] {
  const known = new Set([...Object.keys(SETTINGS), ...OWN_VARIABLES]);
  return Object.keys(environment).filter((key) => key.startsWith('HIVE_') && !known.has(key));
}

/** Variables by which `npm start`, the supervisor and its children speak to each other, and an agent's own. */
const OWN_VARIABLES = [
  'HIVE_START_MS',
  'HIVE_PARENT_FD',
  'HIVE_REDIS_SERVER',
  'HIVE_PRIVATE_MOUNTS',
  'HIVE_REV',
  'HIVE_AGENT',
  'HIVE_ROLE',
  'HIVE_GATEWAY_URL',
  'HIVE_TOKEN_FILE',
  'HIVE_STATE_DIR',
  'HIVE_SHARED_DIR',
  'HIVE_DOCS_DIR',
  'HIVE_CONFIG_DIR',
  'HIVE_TURN_ID',
];

/** `http://host:port` by which a program on this machine reaches the server. */
export function localUrl({ host, port }: Address): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
