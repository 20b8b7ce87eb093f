import path from 'node:path';

import type { HiveUsers } from '../home/hive-users.js';
import type { RuntimeFolder } from '../home/runtime-folder.js';
import type { ServicePlan } from '../processes/service.process.js';
import { accountUrl, type RedisPasswords } from '../redis/redis.accounts.js';
import { localUrl, type SupervisorSettings } from '../settings/supervisor.settings.js';

/** Everything that the services are told. */
export interface HiveLayout {
  settings: SupervisorSettings;
  /** Folder of the compiled program. */
  dist: string;
  home: string;
  runtime: RuntimeFolder;
  users: HiveUsers;
  rev: string;
  /** The private Redis; undefined with HIVE_REDIS_URL. */
  privateRedis: { passwords: RedisPasswords } | undefined;
}

/** Variables of the operator that services need as they are; nothing else of the environment reaches them. */
const PASSED_ON = [
  'PATH',
  'LANG',
  'LC_ALL',
  'TZ',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];

/** The services in the order in which they start; those of one inner list start together. */
export function servicePlans(layout: HiveLayout): ServicePlan[][] {
  const { settings, home, dist } = layout;
  const gatewayUrl = localUrl(settings.gateway);
  const database = (service: string) => path.join(home, 'db', service);
  return [
    [
      plan(layout, 'c0re', {
        HIVE_DB_DIR: database('c0re'),
        HIVE_GATEWAY_URL: gatewayUrl,
        HIVE_DASHBOARD_URL: localUrl(settings.dashboard),
        ...given('HIVE_CONTAINER_DRIVER', settings.containerDriver),
        ...given('HIVE_NIXOS_FLAKE', process.env['HIVE_NIXOS_FLAKE']),
        ...given('HIVE_REACHABLE', reachable(layout).join(':')),
        ...given('HIVE_OPERATOR_TOKEN', settings.operatorToken),
        ...given('HIVE_UID_BASE', layout.users.base?.toString()),
        // git reads the operator's own settings there.
        ...given('HOME', process.env['HOME']),
      }),
    ],
    [
      plan(layout, 'broker', {
        HIVE_DB_DIR: database('broker'),
        HIVE_MESSAGE_DAYS: String(settings.keepDays.messages),
        HIVE_TURN_DAYS: String(settings.keepDays.turns),
        HIVE_EVENT_DAYS: String(settings.keepDays.events),
        ...redisUrl(layout, 'broker'),
      }),
    ],
    [
      plan(layout, 'gateway', {
        HIVE_GATEWAY_HOST: settings.gateway.host,
        HIVE_GATEWAY_PORT: String(settings.gateway.port),
      }),
      plan(layout, 'scheduler', redisUrl(layout, 'scheduler')),
      plan(layout, 'dashboard', {
        ...redisUrl(layout, 'dashboard'),
        HIVE_DASHBOARD_HOST: settings.dashboard.host,
        HIVE_DASHBOARD_PORT: String(settings.dashboard.port),
        HIVE_GATEWAY_URL: gatewayUrl,
        HIVE_WEB_DIR: path.join(dist, 'web'),
      }),
    ],
  ];
}

/** The swarm of scripted agents: a program that makes them by c0re's admin socket and ends. */
export function demoPlan(layout: HiveLayout): ServicePlan {
  return plan(layout, 'demo', {
    HIVE_GATEWAY_URL: localUrl(layout.settings.gateway),
    HIVE_DASHBOARD_URL: localUrl(layout.settings.dashboard),
  });
}

function plan(layout: HiveLayout, name: string, env: Record<string, string>): ServicePlan {
  const { users, privateRedis } = layout;
  const speaksToRedis = env['HIVE_REDIS_URL'] !== undefined && privateRedis !== undefined;
  return {
    name,
    launch: {
      program: process.execPath,
      args: ['--enable-source-maps', path.join(layout.dist, 'apps', name, 'src', 'main.js')],
      user: users.of(name),
      group: speaksToRedis ? users.of('redis') : undefined,
    },
    env: {
      ...Object.assign({}, ...PASSED_ON.map((key) => given(key, process.env[key]))),
      HOME: '/nonexistent',
      HIVE_HOME: layout.home,
      HIVE_RUNTIME_DIR: layout.runtime.path,
      HIVE_LOG_LEVEL: layout.settings.logLevel,
      HIVE_REV: layout.rev,
      ...env,
    },
  };
}

function redisUrl(
  { settings, runtime, privateRedis }: HiveLayout,
  account: 'broker' | 'scheduler' | 'dashboard',
): Record<string, string> {
  const own =
    privateRedis && accountUrl(runtime.sockets['redis'] ?? '', account, privateRedis.passwords);
  return given('HIVE_REDIS_URL', settings.redisUrl ?? own);
}

/** What agents run besides the system's programs: what the operator named, and the demo's scripts. */
function reachable({ settings, dist }: HiveLayout): readonly string[] {
  const clone = path.dirname(dist);
  const demo = [dist, path.join(clone, 'package.json'), path.join(clone, 'node_modules')];
  return [...settings.reachable, ...(settings.demo ? demo : [])];
}

function given(key: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [key]: value };
}
