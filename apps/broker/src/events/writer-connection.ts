import { Redis } from 'ioredis';

import { redisOptions } from '#libs/queues';

/**
 * The connection of the stream's only writer. Commands fail at once while Redis is away and are never sent again by
 * the client itself, so that what the writer knows of the stream stays true.
 */
export function connectWriter(url: string): Redis {
  return new Redis({
    ...redisOptions(url),
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // Its INFO is not among the commands that the broker's Redis user may send.
    enableReadyCheck: false,
    // A Redis that hangs must not hold the relay for ever.
    commandTimeout: 5000,
  });
}
