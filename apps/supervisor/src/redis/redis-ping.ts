import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { parseRedisUrl, type RedisUrl } from '#libs/service';

/** How long one attempt may take, in milliseconds. */
const ATTEMPT_MS = 3_000;

/**
 * Asks the Redis at `url` whether it takes commands. A whole client library would stay in the supervisor's memory for
 * these two commands.
 * @throws Error that says why it does not: no connection, no answer, or the refusal that Redis gave.
 */
export async function pingRedis(url: string, timeoutMs = ATTEMPT_MS): Promise<void> {
  const target = parseRedisUrl(url);
  if (!target) throw new TypeError('it is not the URL of a Redis');
  const commands = [
    ...(target.password === undefined
      ? []
      : [['AUTH', target.username ?? 'default', target.password]]),
    ['PING'],
  ];
  const socket = open(target);
  try {
    const answers = await converse(socket, commands, timeoutMs);
    const refusal = answers.find((answer) => answer.startsWith('-'));
    if (refusal !== undefined) throw new Error(refusal.slice(1));
  } finally {
    socket.destroy();
  }
}

/** The URL without its user and password, for messages and files that everybody may read. */
export function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}

function open({ address, tls }: RedisUrl): Socket {
  if ('path' in address) return connect(address.path);
  return tls ? connectTls({ ...address, servername: address.host }) : connect(address);
}

function converse(
  socket: Socket,
  commands: readonly (readonly string[])[],
  timeoutMs: number,
): Promise<string[]> {
  return new Promise((resolve, reject) => {
    let received = '';
    socket.setTimeout(timeoutMs, () => reject(new Error(`no answer within ${timeoutMs} ms`)));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      const lines = received.split('\r\n').slice(0, -1);
      if (lines.length >= commands.length) resolve(lines);
    });
    socket.write(commands.map(encode).join(''));
  });
}

/** A command as Redis reads it: an array of strings with their length. */
function encode(words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}
