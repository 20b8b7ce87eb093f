import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import { Redis } from 'ioredis';

/** A real redis-server on a unix socket in a folder of its own, with snapshots only when asked for. */
export class TestRedis {
  readonly socket: string;
  readonly url: string;
  private child: ChildProcess | undefined;

  constructor(private readonly dir: string) {
    this.socket = path.join(dir, 'redis.sock');
    this.url = `unix://${this.socket}`;
  }

  /** Starts the server and waits until it answers; what its snapshot file holds is loaded. */
  async start(): Promise<void> {
    const options = ['--port', '0', '--unixsocket', this.socket, '--dir', this.dir, '--save', ''];
    this.child = spawn('redis-server', [...options, '--appendonly', 'no'], { stdio: 'ignore' });
    const probe = new Redis({
      path: this.socket,
      maxRetriesPerRequest: null,
      retryStrategy: () => 20,
    });
    probe.on('error', () => {});
    await probe.ping();
    probe.disconnect();
  }

  /** Ends the server without a word to its clients or its disk. */
  async kill(): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** A connection for the test itself. */
  connect(): Redis {
    const redis = new Redis({
      path: this.socket,
      maxRetriesPerRequest: null,
      retryStrategy: () => 20,
    });
    redis.on('error', () => {});
    return redis;
  }
}
