import {
  chmodSync,
  cpSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const SOURCE = path.resolve(import.meta.dirname, '../../..');
const PACKAGES = path.join(SOURCE, 'node_modules');
const SERVICES = ['c0re', 'broker', 'gateway', 'scheduler', 'dashboard'];

/** What a stand-in service does besides starting and ending. */
export interface StandInWish {
  /** Says this instead of being ready, and ends. */
  failure?: string;
  /** Never says that it is ready. */
  slow?: boolean;
  /** Does not end on SIGTERM. */
  deaf?: boolean;
  /** Writes its environment into its log. */
  env?: boolean;
}

/**
 * A clone in a temporary folder with the built supervisor and, in the place of the services, stand-ins that start at once.
 * `isReal` takes the built services instead.
 */
export class StandInClone {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'hive-clone-'));
  /** The clone lies one level down, so that the folder above it can be closed. */
  readonly path = path.join(this.folder, 'clone');

  constructor({ isReal = false }: { isReal?: boolean } = {}) {
    chmodSync(this.folder, 0o755);
    mkdirSync(path.join(this.path, 'dist', 'apps'), { recursive: true });
    cpSync(path.join(SOURCE, 'package.json'), path.join(this.path, 'package.json'));
    symlinkSync(PACKAGES, this.packages);
    this.copyBuilt('libs');
    this.copyBuilt('apps/supervisor');
    if (isReal) {
      for (const app of [...SERVICES, 'harness', 'cli', 'demo']) this.copyBuilt(`apps/${app}`);
      this.copyBuilt('web');
    } else {
      for (const service of SERVICES) this.placeStandIn(service);
      mkdirSync(path.join(this.path, 'dist', 'web'));
    }
  }

  get home(): string {
    return path.join(this.path, '.hive');
  }

  /** Tells the stand-ins that start from now on what to do. */
  wish(wishes: Record<string, StandInWish>): void {
    const shared = path.join(this.home, 'shared');
    mkdirSync(shared, { recursive: true });
    writeFileSync(path.join(shared, 'stand-in.json'), JSON.stringify(wishes));
  }

  /** Only their owner may enter the clone's parent, as in a home of mode 0700. */
  close(): void {
    chmodSync(this.folder, 0o700);
  }

  /**
   * Gives the whole clone to a user, with a folder in the place of its link to the packages: `asUser` puts them there,
   * because the user may not be able to enter the folder in which they lie.
   */
  giveTo(uid: number): void {
    rmSync(this.packages);
    mkdirSync(this.packages);
    const give = (at: string, isFolder: boolean): void => {
      lchownSync(at, uid, uid);
      if (!isFolder) return;
      for (const entry of readdirSync(at, { withFileTypes: true })) {
        give(path.join(at, entry.name), entry.isDirectory());
      }
    };
    give(this.folder, true);
  }

  /** The command as that user, who finds the packages in the clone. It stays one process with one number. */
  asUser(uid: number, command: readonly string[]): string[] {
    const [program = '', ...args] = command;
    const own = program.startsWith(PACKAGES)
      ? this.packages + program.slice(PACKAGES.length)
      : program;
    const drop = `exec setpriv --reuid=${uid} --regid=${uid} --clear-groups -- "$@"`;
    const script = `mount --bind "$1" "$2" && shift 2 && ${drop}`;
    const inNamespace = ['unshare', '--mount', '--propagation', 'slave', '--'];
    return [...inNamespace, 'sh', '-c', script, 'sh', PACKAGES, this.packages, own, ...args];
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get packages(): string {
    return path.join(this.path, 'node_modules');
  }

  private copyBuilt(part: string): void {
    cpSync(path.join(SOURCE, 'dist', part), path.join(this.path, 'dist', part), {
      recursive: true,
    });
  }

  private placeStandIn(service: string): void {
    const folder = path.join(this.path, 'dist', 'apps', service, 'src');
    mkdirSync(folder, { recursive: true });
    cpSync(path.join(import.meta.dirname, 'service.mjs'), path.join(folder, 'main.js'));
  }
}
