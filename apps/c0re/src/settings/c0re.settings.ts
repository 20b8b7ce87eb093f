import path from 'node:path';

import type { Container } from '#libs/protocol';
import { agentUser, BadConfigurationError, serviceUser } from '#libs/service';

import type { C0reEnv } from './c0re.env.js';
import { HiveHome } from './hive-home.js';

/** How long c0re waits for processes, in milliseconds. */
export interface Timings {
  /** From SIGTERM to a harness until its whole container is killed. */
  termMs: number;
  /** From SIGTERM to what a harness left behind until SIGKILL. */
  leftoversMs: number;
  /** Bound after SIGKILL; what lives on is an error. */
  killMs: number;
  /** First wait before a crashed harness is started again; doubles up to the longest. */
  firstBackOffMs: number;
  longestBackOffMs: number;
  /** A harness that ran this long did not crash at its start: the back-off begins anew. */
  stableMs: number;
  /** A container that is up this long after a deploy is taken to work with it. */
  settleMs: number;
  /** How often an adopted harness is looked at: only a parent is told of an exit. */
  adoptedPollMs: number;
  /** Longest from a planned restart of an agent until its harness is back with the broker. */
  healthyMs: number;
  /** How often the broker is asked for signs of the harnesses. */
  watchMs: number;
  /** A harness that the broker did not hear of for this long is ended and started again. */
  silentMs: number;
  /** Longest that a planned restart waits for a broker that is away. */
  brokerMs: number;
}

export const DEFAULT_TIMINGS: Timings = {
  termMs: 8000,
  leftoversMs: 1500,
  killMs: 5000,
  firstBackOffMs: 500,
  longestBackOffMs: 60_000,
  stableMs: 60_000,
  settleMs: 3000,
  adoptedPollMs: 500,
  healthyMs: 60_000,
  watchMs: 15_000,
  silentMs: 120_000,
  brokerMs: 5000,
};

const LAST_SLOT = 1023;

/** What tests set and a hive in use does not. */
export interface SettingsOverrides {
  timings?: Partial<Timings>;
  nodePath?: string;
}

/** Everything that c0re was told at its start. */
export class C0reSettings {
  readonly home: HiveHome;
  readonly runtimeDir: string;
  readonly dbFile: string;
  readonly gatewayUrl: string;
  readonly rev: string;
  /** Undefined: the best one that works here. */
  readonly containerDriver: Container | undefined;
  /** System of NixOS containers, as `REF#ATTRIBUTE`. */
  readonly nixosFlake: string | undefined;
  readonly operatorToken: string | undefined;
  readonly harnessMain: string;
  /** Paths of the host that containers see read-only. */
  readonly reachable: readonly string[];
  /** The Node that runs the harnesses. */
  readonly nodePath: string;
  readonly timings: Timings;
  private readonly uidBase: number | undefined;

  /** @throws BadConfigurationError when c0re is root and has no block of user ids to give to its agents. */
  constructor(env: Readonly<C0reEnv>, isRoot: boolean, overrides: SettingsOverrides = {}) {
    if (isRoot && env.HIVE_UID_BASE === undefined) {
      throw new BadConfigurationError([
        'HIVE_UID_BASE=(not set): needed when c0re runs as root, so that every agent gets a user of its own',
      ]);
    }
    this.home = new HiveHome(env.HIVE_HOME);
    this.runtimeDir = env.HIVE_RUNTIME_DIR;
    this.dbFile = path.join(env.HIVE_DB_DIR, 'c0re.db');
    this.gatewayUrl = env.HIVE_GATEWAY_URL;
    this.rev = env.HIVE_REV;
    this.containerDriver = env.HIVE_CONTAINER_DRIVER;
    this.nixosFlake = env.HIVE_NIXOS_FLAKE;
    this.operatorToken = env.HIVE_OPERATOR_TOKEN;
    this.harnessMain =
      env.HIVE_HARNESS_MAIN ?? path.resolve(import.meta.dirname, '../../../harness/src/main.js');
    this.reachable = env.HIVE_REACHABLE?.split(':').filter(Boolean) ?? [];
    this.nodePath = overrides.nodePath ?? process.execPath;
    this.timings = { ...DEFAULT_TIMINGS, ...overrides.timings };
    this.uidBase = isRoot ? env.HIVE_UID_BASE : undefined;
  }

  /** Whether agents and services run as users of their own. */
  get separatesUsers(): boolean {
    return this.uidBase !== undefined;
  }

  /** User and group id of the agent in `slot`; undefined when everything runs as one user. */
  agentUser(slot: number): number | undefined {
    return this.uidBase === undefined ? undefined : agentUser(this.uidBase, slot);
  }

  /** User and group id that c0re's own git runs as; undefined when everything runs as one user. */
  get gitUser(): number | undefined {
    return this.uidBase === undefined ? undefined : serviceUser(this.uidBase, 'git');
  }

  /** A user for trials, in a slot that agents reach last; undefined when everything runs as one user. */
  get trialUser(): number | undefined {
    return this.uidBase === undefined ? undefined : agentUser(this.uidBase, LAST_SLOT);
  }

  /** User and group id of a peer of c0re; undefined when everything runs as one user, and for the admin socket. */
  peerUser(peer: 'dashboard' | 'gateway' | 'scheduler' | 'admin'): number | undefined {
    if (this.uidBase === undefined || peer === 'admin') return undefined;
    return serviceUser(this.uidBase, peer);
  }
}
