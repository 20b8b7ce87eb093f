import { aclLines, type RedisPasswords } from './redis.accounts.js';

export interface RedisConfig {
  /** Path of the unix socket; there is no TCP port. */
  socket: string;
  /** Folder of the append-only file. */
  folder: string;
  passwords: RedisPasswords;
  /** Whether group members may connect: the services run as users of their own. */
  shared: boolean;
}

/** The text of redis.conf for the hive's private Redis. */
export function redisConf({ socket, folder, passwords, shared }: RedisConfig): string {
  return [
    'port 0',
    `unixsocket ${quoted(socket)}`,
    `unixsocketperm ${shared ? '660' : '600'}`,
    `dir ${quoted(folder)}`,
    'daemonize no',
    'logfile ""',
    // Everything in here can be rebuilt from SQLite; losing a second of it costs a second of catching up.
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    // BullMQ loses jobs under any other policy.
    'maxmemory-policy noeviction',
    // Blocked readers wake on the server's clock: at the default of 10 they wait up to 100 ms longer.
    'hz 100',
    ...aclLines(passwords),
    '',
  ].join('\n');
}

/** A value as redis.conf reads it between double quotes. */
function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
