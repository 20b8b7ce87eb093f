import type {
  ContainerDriver,
  ContainerOwner,
  ContainerProgram,
  RunningContainer,
  StopBounds,
} from '../container-driver.js';
import { HostProcesses, type HostProcessesOptions } from './host-processes.js';
import { Privileges } from './privileges.js';

export interface ProcessDriverOptions extends HostProcessesOptions {
  /** Whether agents run as users of their own, which needs root. */
  separateUsers: boolean;
}

/** Runs an agent's processes as children of the host, without a mount namespace: for development (PRODUCT 4.2). */
export class ProcessDriver implements ContainerDriver {
  readonly name = 'process';
  readonly hasOwnFiles = false;
  private readonly processes: HostProcesses;
  private readonly privileges = new Privileges();

  constructor(private readonly options: ProcessDriverOptions) {
    this.processes = new HostProcesses(options);
  }

  async check(): Promise<void> {
    if (this.options.separateUsers) await this.privileges.check();
  }

  protectionsOff(): string[] {
    const off = [
      "the process driver has no mount namespace: agents see the host's files, as far as their user may",
      'the process driver does not enforce limits of memory, cpu and pids',
      'the process driver does not limit the network',
    ];
    if (!this.options.separateUsers) {
      off.unshift(
        "agents run as the hive's own user: they can read each other's tokens and the databases",
        'a process that an agent detaches and that clears its environment can outlive a stop',
      );
    } else {
      off.push("a process that an agent detaches and gives another hive's mark can outlive a stop");
    }
    return off;
  }

  async create(): Promise<void> {}

  async start(owner: ContainerOwner, program: ContainerProgram): Promise<RunningContainer> {
    const argv =
      owner.user === undefined ? program.argv : this.privileges.asUser(owner.user, program.argv);
    return this.processes.launch(owner, { ...program, argv });
  }

  adopt(owner: ContainerOwner, handle: unknown): RunningContainer | undefined {
    // A container of another driver, in which the hive ran before, is ended and not taken over.
    if ((handle as { driver?: string } | null)?.driver !== undefined) return undefined;
    return this.processes.adopt(owner, handle);
  }

  async inspect(owner: ContainerOwner, running?: RunningContainer): Promise<number[]> {
    return this.processes.members(owner, running);
  }

  async stop(
    owner: ContainerOwner,
    running: RunningContainer | undefined,
    bounds: StopBounds,
  ): Promise<void> {
    await this.processes.stop(owner, running, bounds);
  }

  async destroy(): Promise<void> {}

  async strays(): Promise<number[]> {
    return this.processes.strays();
  }
}
