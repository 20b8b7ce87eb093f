import type { Container } from '#libs/protocol';

/** Whose container it is. */
export interface ContainerOwner {
  /** Incarnation. */
  agentId: number;
  name: string;
  /** User and group id of everything inside; undefined when it runs as c0re's own user. */
  user: number | undefined;
}

/** One path of the host that a container with a file system of its own sees. */
export interface ContainerMount {
  source: string;
  /** Absolute path inside. */
  target: string;
  writable: boolean;
}

/** What all processes of a container may use together (PRODUCT 4.2). */
export interface ContainerLimits {
  memoryBytes: number;
  /** Cores; may be a fraction. */
  cpus: number;
  pids: number;
}

/** What a container reaches besides its own loopback (P35); with `none` and `model` only what is bound into it. */
export type ContainerNetwork = 'none' | 'model' | 'full';

/** What runs inside. */
export interface ContainerProgram {
  argv: readonly [string, ...string[]];
  /** The whole environment; the driver adds only its mark. */
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** Takes stdout and stderr, also while c0re is away. */
  logFile: string;
  /** Only these, and the system's programs, are there in a driver that has a file system of its own. */
  mounts: readonly ContainerMount[];
  limits: ContainerLimits;
  network: ContainerNetwork;
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
  /** Whether programs see the mounts at their targets (PRODUCT 4.3), or the host's own paths. */
  readonly hasOwnFiles: boolean;
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
