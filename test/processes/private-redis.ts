import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Redis } from 'ioredis';

/** A Redis of one test, on a unix socket in a folder of its own. */
export class PrivateRedis {
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'hive-redis-'));
  private server: ChildProcess | undefined;

  readonly socket = path.join(this.folder, 'redis.sock');
  readonly url = `unix://${this.socket}`;

  static async start(): Promise<PrivateRedis> {
    const redis = new PrivateRedis();
    await redis.start();
    return redis;
  }

  /** Starts the server, also again after `kill`; what it held before is lost. */
  async start(): Promise<void> {
    const args = ['--port', '0', '--unixsocket', this.socket, '--save', '', '--appendonly', 'no'];
    const server = spawn('redis-server', [...args, '--dir', this.folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.once('exit', () => reject(new Error('redis-server ended while it started')));
      server.stdout.on('data', (chunk: Buffer) => {
        if (chunk.includes('ready to accept connections')) resolve();
      });
    });
  }

  /** A client of its own; the caller disconnects it. */
  client(): Redis {
    return new Redis({ path: this.socket, maxRetriesPerRequest: null });
  }

  /** SIGKILL, as a crash. */
  async kill(): Promise<void> {
    const server = this.server;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
