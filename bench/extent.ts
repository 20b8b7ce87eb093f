/** How much is measured. */
export interface Extent {
  /** Interleaved rounds. */
  rounds: number;
  /** Length of each load in milliseconds, and of the one before that nobody counts: compilers need a few thousand calls. */
  loadMs: number;
  warmUpMs: number;
  /** Messages of each idle measurement. */
  idleMessages: number;
  /** Messages in the large database. */
  rows: number;
  /** Messages in the databases that are compared with a small one. */
  scaleRows: number[];
  /** MCP calls between two looks at the gateway's heap. */
  mcpCalls: number;
  mcpSessions: number;
  /** How long an idle hive is watched, in milliseconds. */
  idleHiveMs: number;
  /** How long reminders come due at target 8's rate, in milliseconds. */
  remindersMs: number;
}

export const FULL_EXTENT: Extent = {
  rounds: 5,
  loadMs: 800,
  warmUpMs: 2500,
  idleMessages: 100,
  rows: 1_000_000,
  scaleRows: [1_000_000],
  mcpCalls: 20_000,
  mcpSessions: 512,
  idleHiveMs: 120_000,
  remindersMs: 10_000,
};

/** `--quick`: for a look, not for a judgement. */
export const QUICK_EXTENT: Extent = {
  rounds: 2,
  loadMs: 400,
  warmUpMs: 800,
  idleMessages: 30,
  rows: 100_000,
  scaleRows: [100_000],
  mcpCalls: 2000,
  mcpSessions: 128,
  idleHiveMs: 10_000,
  remindersMs: 3000,
};

/** `--full`: also ten million messages, which takes some 8 GiB of disk and several minutes. */
export const LARGEST_ROWS = 10_000_000;
