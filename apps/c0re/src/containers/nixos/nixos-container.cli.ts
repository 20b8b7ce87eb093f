import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { HiveError } from '#libs/protocol';

const run = promisify(execFile);
/** A build may have to fetch and compile, in milliseconds. */
const BUILD_MS = 30 * 60_000;
const QUICK_MS = 30_000;
/** NixOS takes longer names and others, and makes a container named `-x` of an option (interface names bound it to 11). */
const NAME = /^[a-z][a-z0-9-]{0,10}$/;
/** What stands in a unit's environment file unquoted: a newline there would be another setting. */
const PLAIN = /^[A-Za-z0-9/._@:=,+~ -]*$/;

export interface NixosContainerPaths {
  /** Folder of the containers' settings. */
  confDir: string;
  /** An empty folder of c0re's own: builds leave links in the current folder. */
  workDir: string;
}

/**
 * The tool `nixos-container` and what goes with it. Its exit codes mean only 0 or not; a missing container is `gone`
 * with an error; a flake that fails to build leaves half a container behind.
 */
export class NixosContainerCli {
  constructor(private readonly paths: NixosContainerPaths) {}

  /** Why it cannot be used here; undefined when it can. */
  async obstacle(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) return 'nixos-container needs root';
    try {
      await this.call('nixos-container', ['list'], QUICK_MS);
      return undefined;
    } catch (error) {
      return `nixos-container cannot be run: ${firstLine(error)}`;
    }
  }

  /** Names of all containers, also of other hives and of nobody. */
  async list(): Promise<string[]> {
    const text = await this.call('nixos-container', ['list'], QUICK_MS);
    return text.split('\n').filter(Boolean);
  }

  async status(name: string): Promise<'up' | 'down' | 'gone'> {
    try {
      const text = await this.call('nixos-container', ['status', checked(name)], QUICK_MS);
      return text.trim() === 'up' ? 'up' : 'down';
    } catch (error) {
      if (/^gone\s*$/m.test((error as { stdout?: string }).stdout ?? '')) return 'gone';
      throw new HiveError('unavailable', `nixos-container status failed: ${firstLine(error)}`);
    }
  }

  /** Builds the container's system. What a failed build left is removed. */
  async create(name: string, flake: string): Promise<void> {
    const args = ['create', checked(name), '--flake', flakeOf(flake)];
    try {
      await this.call('nixos-container', args, BUILD_MS);
    } catch (error) {
      await this.destroy(name).catch(() => {});
      throw new HiveError('conflict', `the container's system does not build: ${firstLine(error)}`);
    }
  }

  /** Builds it anew; the whole reference each time, because the tool forgets the part after `#`. */
  async update(name: string, flake: string): Promise<void> {
    const args = ['update', checked(name), '--flake', flakeOf(flake)];
    await this.call('nixos-container', args, BUILD_MS);
  }

  async start(name: string): Promise<void> {
    await this.call('nixos-container', ['start', checked(name)], BUILD_MS);
  }

  /** Asks its system to shut down; false when that took longer than `ms`. */
  async stop(name: string, ms: number): Promise<boolean> {
    return this.within('stop', name, ms);
  }

  /** Ends it at once; false when that took longer than `ms`: the tool itself would wait for ever. */
  async terminate(name: string, ms: number): Promise<boolean> {
    return this.within('terminate', name, ms);
  }

  /** Done twice it changes nothing. */
  async destroy(name: string): Promise<void> {
    await this.call('nixos-container', ['destroy', checked(name)], QUICK_MS);
  }

  /** Host's process id of the container's process 1; undefined while it is not up. */
  async leader(name: string): Promise<number | undefined> {
    const args = ['show', checked(name), '-p', 'Leader'];
    const text = await this.call('machinectl', args, QUICK_MS).catch(() => '');
    const pid = Number(/^Leader=(\d+)$/m.exec(text)?.[1]);
    return pid > 0 ? pid : undefined;
  }

  /** Limits of all that runs in it, until it is stopped. */
  async limit(name: string, properties: Readonly<Record<string, string>>): Promise<void> {
    const settings = Object.entries(properties).map(([key, value]) => `${key}=${value}`);
    const unit = `container@${checked(name)}.service`;
    await this.call('systemctl', ['set-property', '--runtime', unit, ...settings], QUICK_MS);
  }

  /** Sets keys that the tool never writes and its unit honours, after the container was made. */
  configure(name: string, keys: Readonly<Record<string, string>>): void {
    for (const [key, value] of Object.entries(keys)) {
      if (!PLAIN.test(value)) {
        throw new HiveError(
          'invalid_request',
          `${key} of the container ${name} would hold characters that its settings cannot: ${JSON.stringify(value)}; use paths of letters, digits and . _ - /`,
        );
      }
    }
    const file = path.join(this.paths.confDir, `${checked(name)}.conf`);
    const kept = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !((line.split('=')[0] ?? '') in keys));
    const added = Object.entries(keys).map(([key, value]) => `${key}=${value}`);
    writeFileSync(file, [...kept, ...added, ''].join('\n'));
  }

  private async within(verb: 'stop' | 'terminate', name: string, ms: number): Promise<boolean> {
    try {
      await this.call('nixos-container', [verb, checked(name)], Math.max(1, ms));
      return true;
    } catch {
      return false;
    }
  }

  private async call(program: string, args: readonly string[], timeout: number): Promise<string> {
    mkdirSync(this.paths.workDir, { recursive: true, mode: 0o700 });
    const { stdout } = await run(program, args, { cwd: this.paths.workDir, timeout });
    return stdout;
  }
}

function checked(name: string): string {
  if (NAME.test(name)) return name;
  throw new HiveError(
    'invalid_name',
    `${JSON.stringify(name)} cannot name a NixOS container: a letter, then at most 10 letters, digits or -`,
  );
}

/** A reference that the tool cannot take for an option or for a piece of Nix. */
function flakeOf(flake: string): string {
  if (/^[A-Za-z0-9/.][^"'\s\\$#]*#[A-Za-z0-9_.-]+$/.test(flake)) return flake;
  throw new HiveError(
    'invalid_config',
    `${JSON.stringify(flake)} is not a flake with an attribute, as /etc/hive#agent`,
  );
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr?.trim() || message).split('\n')[0] ?? '';
}
