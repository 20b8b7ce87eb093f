export { GroupCommit, type CommitFaults, type GroupCommitOptions } from './group-commit.js';
export { migrate, NewerSchemaError, type Migration } from './migrate.js';
export { openDatabase, type Db, type OpenOptions } from './open.js';
export { StoreInUseError, takeWriterLock, type WriterLock } from './writer-lock.js';
