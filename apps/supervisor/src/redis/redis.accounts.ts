import { createHash, randomBytes } from 'node:crypto';

import { EVENT_STREAM } from '#libs/protocol';

/** Who may speak to the private Redis; `ops` is the operator's own, for redis-cli. */
export const REDIS_ACCOUNTS = ['broker', 'scheduler', 'dashboard', 'ops'] as const;
export type RedisAccount = (typeof REDIS_ACCOUNTS)[number];

/** Bytes of randomness in a password. */
const PASSWORD_BYTES = 24;

/** What a client library asks of every server; Redis counts it among the dangerous commands. */
const EVERYDAY = '+@all -@admin -@dangerous +info +client|list +client|setname';
const EVERY_KEY = '~hive:*';
/** Keys of the queues; BullMQ's all begin with the prefix and the queue's name. */
const QUEUE_KEYS = ['reminders', 'broadcasts', 'deliveries', 'operations', 'maintenance']
  .map((queue) => `~hive:${queue}:*`)
  .join(' ');

/**
 * Keys and commands of each account. The broker alone writes the event stream; the dashboard reads it and manages the
 * queues (Bull Board); the scheduler works the queues.
 */
const RULES: Record<RedisAccount, string> = {
  broker: `${EVERY_KEY} ${EVERYDAY}`,
  scheduler: `${QUEUE_KEYS} ${EVERYDAY}`,
  dashboard: `${QUEUE_KEYS} %R~${EVENT_STREAM} ${EVERYDAY}`,
  ops: '~* &* +@all',
};

export type RedisPasswords = Record<RedisAccount, string>;

/** Fresh passwords, good as long as this Redis runs. */
export function newPasswords(): RedisPasswords {
  return { broker: password(), scheduler: password(), dashboard: password(), ops: password() };
}

function password(): string {
  return randomBytes(PASSWORD_BYTES).toString('base64url');
}

/** The `user` lines of redis.conf; only hashes of the passwords stand there. */
export function aclLines(passwords: RedisPasswords): string[] {
  return [
    'user default off nopass -@all',
    ...REDIS_ACCOUNTS.map((account) => {
      const hash = createHash('sha256').update(passwords[account]).digest('hex');
      return `user ${account} on #${hash} resetchannels ${RULES[account]}`;
    }),
  ];
}

/** The URL by which a service reaches the private Redis. */
export function accountUrl(
  socket: string,
  account: RedisAccount,
  passwords: RedisPasswords,
): string {
  const path = socket.split('/').map(encodeURIComponent).join('/');
  return `unix://${account}:${passwords[account]}@${path}`;
}
