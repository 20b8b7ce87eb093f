import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

import type { ServiceMessage } from '#libs/service';

import type { C0reFixture } from './c0re.fixture.js';

const MAIN = path.resolve(import.meta.dirname, '../../../../dist/apps/c0re/src/main.js');

/** The built c0re as a process of its own, started as the supervisor does. */
export class C0reProcess {
  readonly exited: Promise<number | null>;
  private readonly child: ChildProcess;
  private readonly answer: Promise<ServiceMessage | undefined>;

  /** `load`: further flags of its Node. */
  constructor(fixture: C0reFixture, env: Record<string, string> = {}, load: string[] = []) {
    if (!existsSync(MAIN))
      throw new Error(`${MAIN} is missing: run \`npm run build:server\` first`);
    // The harnesses run on c0re's own Node, which their users must be able to read.
    this.child = spawn(fixture.nodePath, ['--enable-source-maps', ...load, MAIN], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: {
        PATH: process.env['PATH'],
        ...Object.fromEntries(
          Object.entries(fixture.env).map(([key, value]) => [key, String(value)]),
        ),
        ...env,
      },
    });
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code) => resolve(code));
    });
    const { promise, resolve } = Promise.withResolvers<ServiceMessage | undefined>();
    this.child.once('message', (message: ServiceMessage) => resolve(message));
    this.child.once('exit', () => resolve(undefined));
    this.answer = promise;
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** Settles when it is ready; rejects with what it says when it cannot start. */
  async ready(): Promise<void> {
    const message = await this.answer;
    if (message?.type === 'failed') throw new Error(message.message);
    if (!message) throw new Error('c0re ended without a word');
  }

  /** Sends the signal and waits for the end; the exit code, null after a signal. */
  end(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return this.exited;
  }

  /** Closes the pipe to it, as the death of its supervisor does. */
  disconnect(): Promise<number | null> {
    this.child.disconnect();
    return this.exited;
  }
}
