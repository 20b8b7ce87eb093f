import path from 'node:path';

import type { HarnessConfig } from '#libs/protocol';

import { writeDurably } from '../../files/durable-file.js';
import { crypto, fs } from '../../platform/builtins.js';
import type { TurnUsage } from '../turn-driver.js';

interface Stored {
  /** Null until the first session has begun. */
  session_id: string | null;
  /** The operator's model, good as long as the configuration names `instead_of`. */
  model: { model: string; instead_of: string | null } | null;
  compact_next: boolean;
  new_session_next: boolean;
  /** Spent outside of any turn and not yet in a row. */
  unreported: TurnUsage | null;
}
const EMPTY: Stored = {
  session_id: null,
  model: null,
  compact_next: false,
  new_session_next: false,
  unreported: null,
};

/** What an agent's Claude session needs to go on after a restart; every change is on disk when it returns. */
export class SessionState {
  private stored: Stored;

  constructor(private readonly file: string) {
    this.stored = read(file);
  }

  /** The session of the next process: the stored one where its transcript still exists, else a new one. */
  next(claudeConfigDir: string): { id: string; resume: boolean } {
    const id = this.stored.session_id;
    if (id !== null && hasTranscript(claudeConfigDir, id)) return { id, resume: true };
    return { id: crypto.randomUUID(), resume: false };
  }

  /** The session has begun and can be resumed from now on. */
  began(id: string): void {
    if (this.stored.session_id !== id) this.change({ session_id: id });
  }

  forget(): void {
    this.change({ session_id: null, new_session_next: false, compact_next: false });
  }

  get wantsNewSession(): boolean {
    return this.stored.new_session_next;
  }
  wantNewSession(): void {
    this.change({ new_session_next: true });
  }

  get wantsCompaction(): boolean {
    return this.stored.compact_next;
  }
  wantCompaction(wanted: boolean): void {
    if (this.stored.compact_next !== wanted) this.change({ compact_next: wanted });
  }

  model(config: Pick<HarnessConfig, 'model'>): string | null {
    const own = this.stored.model;
    return own !== null && own.instead_of === config.model ? own.model : config.model;
  }
  useModel(model: string, config: Pick<HarnessConfig, 'model'>): void {
    this.change({ model: { model, instead_of: config.model } });
  }

  /** Keeps usage for the next turn's row. */
  keepUsage(usage: TurnUsage): void {
    this.change({ unreported: usage });
  }
  takeUsage(): TurnUsage | null {
    const usage = this.stored.unreported;
    if (usage !== null) this.change({ unreported: null });
    return usage;
  }

  private change(part: Partial<Stored>): void {
    this.stored = { ...this.stored, ...part };
    writeDurably(this.file, JSON.stringify(this.stored));
  }
}

/** Claude Code keeps `projects/<folder of the cwd>/<id>.jsonl`. */
function hasTranscript(claudeConfigDir: string, id: string): boolean {
  const projects = path.join(claudeConfigDir, 'projects');
  try {
    return fs
      .readdirSync(projects)
      .some((it) => fs.existsSync(path.join(projects, it, `${id}.jsonl`)));
  } catch {
    return false;
  }
}

function read(file: string): Stored {
  try {
    return { ...EMPTY, ...(JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<Stored>) };
  } catch {
    return { ...EMPTY }; // The first start, or a file that cannot be used: a new session begins.
  }
}
