import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { WebSocket } from 'ws';

/** Linux counts processor time for /proc in hundredths of a second. */
const TICK_US = 10_000;

/** Memory of a process in KiB: RSS counts shared pages whole, PSS each process's share of them. */
export interface ProcessMemory {
  rss_kib: number;
  pss_kib: number;
}

/** Reads it from /proc; undefined when the process is gone. */
export function memoryOf(pid: number): ProcessMemory | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  } catch {
    return undefined;
  }
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]);
  return { rss_kib: kib('Rss'), pss_kib: kib('Pss') };
}

/** Microseconds of processor time that these processes have used since they started, all threads together. */
export function cpuMicroseconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold blanks; user and system time are the 12th and 13th field behind it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * TICK_US;
  }, 0);
}

/** The heap of a Node process that was started with `--inspect=127.0.0.1:0`, over its inspector. */
export class HeapProbe {
  private nextId = 1;
  private readonly waiting = new Map<number, (result: unknown) => void>();

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      const { id, result } = JSON.parse(data.toString('utf8')) as { id?: number; result?: unknown };
      if (id !== undefined) this.waiting.get(id)?.(result);
    });
  }

  /** `log`: file with the process's output, where Node names the inspector's address. */
  static async attach(log: string): Promise<HeapProbe> {
    const address = /Debugger listening on (ws:\S+)/.exec(readFileSync(log, 'utf8'))?.[1];
    if (!address) throw new Error(`${log} names no inspector`);
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return new HeapProbe(socket);
  }

  /** Bytes in use after a full collection, buffers included. */
  async usedBytes(): Promise<number> {
    // Sockets that were closed a moment ago go in the next turns of the loop, and what they held after them.
    for (let round = 0; round < 3; round++) {
      await this.call('HeapProfiler.collectGarbage');
      await sleep(100);
    }
    const usage = (await this.call('Runtime.getHeapUsage')) as {
      usedSize: number;
      backingStorageSize?: number;
    };
    return usage.usedSize + (usage.backingStorageSize ?? 0);
  }

  close(): void {
    this.socket.close();
  }

  private call(method: string): Promise<unknown> {
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.waiting.set(id, (result) => {
        this.waiting.delete(id);
        resolve(result);
      });
      this.socket.send(JSON.stringify({ id, method }));
    });
  }
}
