import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

import type { ServiceMessage } from '#libs/service';

const ROOT = path.resolve(import.meta.dirname, '../../../..');

/** Longest time until a service says that it is ready, in milliseconds; a cold page cache is slow. */
const READY_MS = 20_000;
/** Longest time until a service has ended after SIGTERM, in milliseconds. */
const END_MS = 15_000;

/** A built service in a process of its own, started as the supervisor starts it. */
export class ServiceProcess {
  private readonly lines: string[] = [];
  private readonly ended: Promise<number | NodeJS.Signals>;

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.lines.push(text));
    }
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 0));
    });
  }

  /** Resolves when the service is ready; rejects with its own message when it cannot start. */
  static async start(
    name: 'broker' | 'gateway',
    env: Record<string, string>,
    nodeOptions: string[] = [],
  ): Promise<ServiceProcess> {
    const main = path.join(ROOT, 'dist/apps', name, 'src/main.js');
    if (!existsSync(main)) throw new Error(`${main} is missing: run npm run build:server first`);
    const child = spawn(process.execPath, ['--enable-source-maps', ...nodeOptions, main], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const service = new ServiceProcess(name, child);
    await service.ready();
    return service;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Everything that it wrote to stdout and stderr. */
  get output(): string {
    return this.lines.join('');
  }

  /** Its exit code, or the signal that ended it. */
  whenEnded(): Promise<number | NodeJS.Signals> {
    return this.ended;
  }

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | NodeJS.Signals> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), END_MS);
    const outcome = await this.ended;
    clearTimeout(late);
    return outcome;
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Sends a message over the IPC channel and resolves with the first answer of that type. */
  ask<T extends { type: string }>(type: string, answerType: T['type']): Promise<T> {
    return new Promise((resolve) => {
      const onMessage = (message: unknown) => {
        if ((message as T).type !== answerType) return;
        this.child.off('message', onMessage);
        resolve(message as T);
      };
      this.child.on('message', onMessage);
      this.child.send({ type });
    });
  }

  private ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${this.name} ${why}:\n${this.output}`));
      const late = setTimeout(() => {
        fail(`was not ready within ${READY_MS} ms`);
        this.child.kill('SIGKILL');
      }, READY_MS);
      void this.ended.then((outcome) => {
        clearTimeout(late);
        fail(`ended with ${outcome} before it was ready`);
        return outcome;
      });
      this.child.on('message', (message) => {
        const { type } = message as ServiceMessage;
        if (type !== 'ready') return;
        clearTimeout(late);
        resolve();
      });
    });
  }
}
