import type { Db } from './open.js';

/** One step of a schema. Append only: never edit or reorder a step that was released. */
export interface Migration {
  /** 1, 2, 3 … without a gap. */
  version: number;
  name: string;
  /** The step as statements, or as a program where it depends on what is there. */
  sql?: string;
  run?: (db: Db) => void;
}

/** Thrown when the database was written by a newer program than this one. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
  constructor(path: string, found: number, known: number) {
    super(
      `${path} has schema version ${found}, this program knows up to ${known}: start the newer version of the hive that wrote it`,
    );
  }
}

/** Brings the database to the newest schema, each step in a transaction of its own. Safe to run twice. */
export function migrate(db: Db, migrations: readonly Migration[]): void {
  migrations.forEach((migration, index) => {
    if (migration.version !== index + 1)
      throw new Error(`migration "${migration.name}" must have version ${index + 1}`);
  });
  const found = db.pragma('user_version', { simple: true }) as number;
  if (found > migrations.length) throw new NewerSchemaError(db.name, found, migrations.length);
  for (const migration of migrations.slice(found)) {
    db.transaction(() => {
      if (migration.sql !== undefined) db.exec(migration.sql);
      migration.run?.(db);
      db.pragma(`user_version = ${migration.version}`);
    }).immediate();
  }
}
