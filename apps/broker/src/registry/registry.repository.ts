import { Injectable } from '@nestjs/common';

import type { RegistryAgent } from '#libs/protocol';

import { ThreadsDb } from '../storage/threads.db.js';
import { REGISTRY_COLUMNS, type Agent, type RuntimeColumns } from './agent.js';

type AgentRecord = Omit<Agent, 'allowed_recipients'> & { allowed_recipients: string };

/** Rows of `agents` and the revision of c0re's registry. Writes only from inside a request. */
@Injectable()
export class RegistryRepository {
  private readonly selectAll;
  private readonly selectOne;
  private readonly upsert;
  private readonly setDestroyed;
  private readonly getRevision;
  private readonly setRevision;
  private readonly updates = new Map<string, (values: Record<string, unknown>) => void>();

  constructor(private readonly threads: ThreadsDb) {
    const { db } = threads;
    this.selectAll = db.prepare<[], AgentRecord>('SELECT * FROM agents ORDER BY id');
    this.selectOne = db.prepare<[number], AgentRecord>('SELECT * FROM agents WHERE id = ?');
    this.upsert = db.prepare(
      `INSERT INTO agents (id, ${REGISTRY_COLUMNS.join(', ')})
       VALUES (@id, ${REGISTRY_COLUMNS.map((column) => `@${column}`).join(', ')})
       ON CONFLICT (id) DO UPDATE SET ${REGISTRY_COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}`,
    );
    this.setDestroyed = db.prepare<[number]>(
      `UPDATE agents SET state = 'destroyed', turn_state = 'idle' WHERE id = ?`,
    );
    this.getRevision = db.prepare<[], number>(
      `SELECT value FROM meta WHERE key = 'registry_revision'`,
    );
    this.getRevision.pluck();
    this.setRevision = db.prepare<[number]>(
      `INSERT INTO meta (key, value) VALUES ('registry_revision', ?)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    );
  }

  /** Every incarnation, destroyed ones included. */
  all(): Agent[] {
    return this.selectAll.all().map(toAgent);
  }

  find(id: number): Agent | undefined {
    const record = this.selectOne.get(id);
    return record && toAgent(record);
  }

  /** Stores c0re's entry, and leaves what is the broker's own. */
  put(entry: RegistryAgent): void {
    this.upsert.run({
      ...entry,
      id: Number(entry.agent_id),
      allowed_recipients: JSON.stringify(entry.allowed_recipients),
    });
  }

  destroy(id: number): void {
    this.setDestroyed.run(id);
  }

  /** Changes columns that are the broker's own. */
  update(id: number, changes: Partial<RuntimeColumns>): void {
    const columns = Object.keys(changes);
    const key = columns.join();
    let run = this.updates.get(key);
    if (!run) {
      const statement = this.threads.db.prepare(
        `UPDATE agents SET ${columns.map((column) => `${column} = @${column}`).join(', ')} WHERE id = @id`,
      );
      run = (values) => statement.run(values);
      this.updates.set(key, run);
    }
    run({ ...changes, id });
  }

  /** Revision of c0re's registry that the rows are; 0 before the first. */
  get revision(): number {
    return this.getRevision.get() ?? 0;
  }

  set revision(revision: number) {
    this.setRevision.run(revision);
  }
}

function toAgent(record: AgentRecord): Agent {
  return { ...record, allowed_recipients: JSON.parse(record.allowed_recipients) as string[] };
}
