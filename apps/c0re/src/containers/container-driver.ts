import type { Container } from '#libs/protocol';

/** Whose container it is. */
export interface ContainerOwner {
  /** Incarnation. */
  agentId: number;
  name: string;
  /** User and group id of everything inside; undefined when it runs as c0re's own user. */
  user: number | undefined;
}

/** What runs inside. */
export interface ContainerProgram {
  argv: readonly [string, ...string[]];
  /** The whole environment; the driver adds only its mark. */
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** Takes stdout and stderr, also while c0re is away. */
  logFile: string;
}

/** How the container's program ended; both null when that was not seen. */
export interface ContainerExit {
  code: number | null;
  signal: string | null;
}

export interface RunningContainer {
  /** Plain data by which the driver finds the container again after a restart of c0re. */
  readonly handle: unknown;
  readonly pid: number;
  /** Settles when the container's program is gone; others of its processes may live on. */
  readonly exited: Promise<ContainerExit>;
}

/** How patiently to stop, in milliseconds. */
export interface StopBounds {
  /** From the request to end until everything is killed. */
  termMs: number;
  /** The same for what the program left behind. */
  leftoversMs: number;
  /** From the kill until what still lives is an error. */
  killMs: number;
}

/** One way to run an agent's processes (PRODUCT 4.2). All calls for one agent come one after the other. */
export interface ContainerDriver {
  readonly name: Container;
  /** Throws `driver_unavailable` with the reason when it cannot work on this machine. */
  check(): Promise<void>;
  /** Protections that this driver does not give here, one sentence each. */
  protectionsOff(): string[];
  /** Prepares what outlives single starts. Done twice it changes nothing. */
  create(owner: ContainerOwner): Promise<void>;
  start(owner: ContainerOwner, program: ContainerProgram): Promise<RunningContainer>;
  /** The container of that handle when its program still runs and is this agent's; undefined otherwise (P28). */
  adopt(owner: ContainerOwner, handle: unknown): RunningContainer | undefined;
  /** Process ids of everything that runs in the container. */
  inspect(owner: ContainerOwner, running?: RunningContainer): Promise<number[]>;
  /** Ends everything in the container and proves that nothing is left. Throws `conflict` when something is. */
  stop(
    owner: ContainerOwner,
    running: RunningContainer | undefined,
    bounds: StopBounds,
  ): Promise<void>;
  /** Removes what `create` made. */
  destroy(owner: ContainerOwner): Promise<void>;
  /** Ids of agents of this hive, known or not, of whom something runs (by mark only). */
  strays(): Promise<number[]>;
}
