import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

import type { ContainerMount, ContainerOwner } from '../container-driver.js';

/** User and group id of the agent as it sees itself. */
export const INSIDE_USER = 1000;
/** Folders of every Linux that programs expect, all empty here. */
const FOLDERS = ['dev', 'etc', 'proc', 'root', 'run', 'sys', 'tmp', 'usr', 'var/tmp'];
/** On most systems these are links into /usr, on older ones folders beside it. */
const USR_FOLDERS = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];
/** Parts of the host's /etc that programs need and that hold no secrets. */
const HOST_FILES = [
  'alternatives',
  'ca-certificates',
  'ssl/certs',
  'pki/tls/certs',
  'ld.so.cache',
  'localtime',
  'mime.types',
  'nsswitch.conf',
  'protocols',
  'services',
];

/** Where a container's root folder lies and what of the host is bound into it, read-only. */
export interface Skeleton {
  root: string;
  mounts: ContainerMount[];
}

/**
 * Makes the root folder of a container: no image, only empty folders, links into the host's /usr, three accounts, and a
 * place for every mount. Nothing in it is the agent's to change. Done twice it changes nothing.
 */
export function makeSkeleton(
  root: string,
  { name }: ContainerOwner,
  mounts: readonly ContainerMount[],
  sharesNetwork: boolean,
): Skeleton {
  const system = systemMounts(sharesNetwork);
  for (const folder of [...FOLDERS, `agents/${name}/home`]) makeFolder(path.join(root, folder));
  for (const folder of USR_FOLDERS.filter(isMerged)) makeLink(root, folder);
  const files: Record<string, string> = {
    'etc/passwd': `root:x:0:0::/root:/bin/sh\nagent:x:${INSIDE_USER}:${INSIDE_USER}::/agents/${name}/home:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n`,
    'etc/group': `root:x:0:\nagent:x:${INSIDE_USER}:\nnogroup:x:65534:\n`,
    'etc/hostname': `${name}\n`,
    'etc/resolv.conf': '',
    // podman binds files of its own there.
    'run/.containerenv': '',
    'run/podman-init': '',
    'etc/hosts': `127.0.0.1 localhost ${name}\n::1 localhost\n`,
    'etc/os-release': 'ID=hyperhive\nNAME=Hyperhive\nPRETTY_NAME="Hyperhive agent"\n',
  };
  for (const [file, text] of Object.entries(files)) {
    writeFileSync(path.join(root, file), text);
    chmodSync(path.join(root, file), 0o644);
  }
  for (const mount of [...system, ...mounts]) makePlace(root, mount);
  return { root, mounts: system };
}

function systemMounts(sharesNetwork: boolean): ContainerMount[] {
  const files = [...HOST_FILES, ...(sharesNetwork ? ['resolv.conf'] : [])];
  const beside = USR_FOLDERS.filter((name) => !isMerged(name)).map((name) => `/${name}`);
  return ['/usr', ...beside, ...files.map((file) => path.join('/etc', file))]
    .filter((file) => existsSync(file))
    .map((file) => ({ source: file, target: file, writable: false }));
}

/** A place of the mount's own kind, unless it lies on another mount. */
function makePlace(root: string, { source, target }: ContainerMount): void {
  const place = path.join(root, target);
  if (statSync(source).isDirectory()) {
    makeFolder(place);
  } else if (!existsSync(place)) {
    makeFolder(path.dirname(place));
    writeFileSync(place, '', { mode: 0o644 });
  }
}

function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(path.dirname(folder));
  mkdirSync(folder);
  chmodSync(folder, 0o755);
}

function makeLink(root: string, name: string): void {
  const link = path.join(root, name);
  if (!lstatSync(link, { throwIfNoEntry: false })) symlinkSync(`usr/${name}`, link);
}

/** Whether the host's /bin (and the like) is a link into /usr. */
function isMerged(name: string): boolean {
  const isLink = lstatSync(`/${name}`, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return isLink && existsSync(path.join('/usr', name));
}
