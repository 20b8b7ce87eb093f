import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { SmallDisk } from '../support/small-disk.js';

/** Room for databases, logs and Redis of a run; more than the hive asks for at its start. */
const DISK_MEGABYTES = 768;

/** The folders of a run: the hive's home on a small disk of its own, and, outside it, what the bots write down. */
export class Stage {
  private readonly root = mkdtempSync(path.join(tmpdir(), 'hive-crash-'));
  readonly home = path.join(this.root, 'home');
  /** Given to the bots as CRASH_DIR. */
  readonly witness = path.join(this.root, 'witness');
  /** The disk, or why there is none. */
  readonly disk: SmallDisk | string;

  constructor(agents: readonly string[]) {
    chmodSync(this.root, 0o755);
    mkdirSync(this.home);
    this.disk = SmallDisk.mount(this.home, DISK_MEGABYTES);
    for (const agent of agents) {
      const folder = this.notes(agent);
      mkdirSync(folder, { recursive: true });
      // Bots run as users that are not known yet.
      chmodSync(folder, 0o777);
    }
    this.setPhase('run');
  }

  get database(): string {
    return path.join(this.home, 'db/broker/threads.db');
  }

  notes(agent: string): string {
    return path.join(this.witness, 'notes', agent);
  }

  /** In `drain` bots begin nothing new. */
  setPhase(phase: 'run' | 'drain'): void {
    writeFileSync(path.join(this.witness, 'phase'), phase);
  }

  /** Copies what tells why a run failed. */
  keepEvidence(folder: string): void {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const name of ['logs', 'db']) {
      const from = path.join(this.home, name);
      if (existsSync(from)) cpSync(from, path.join(folder, name), { recursive: true });
    }
    cpSync(this.witness, path.join(folder, 'witness'), { recursive: true });
  }

  remove(): void {
    if (typeof this.disk !== 'string') this.disk.unmount();
    rmSync(this.root, { recursive: true, force: true });
  }
}
