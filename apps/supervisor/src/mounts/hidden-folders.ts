import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import path from 'node:path';

/** A path that the hive's users must reach. */
export interface NeededPath {
  path: string;
  kind: 'folder' | 'file' | 'link';
  /** Where a link leads, as it is written. */
  target?: string;
}

/** A folder that only its owner may enter, and what of the hive lies below it. */
export interface HiddenFolder {
  path: string;
  needed: NeededPath[];
}

/** Permission of everybody to enter a folder. */
const ENTER = 0o001;
/** Permission of everybody to list and enter a folder. */
const LIST_AND_ENTER = 0o005;
/** As many links in one path as Linux follows. */
const MOST_LINKS = 40;

/** The topmost folders that other users cannot enter, on the way to any of `paths`. */
export function findHiddenFolders(paths: readonly string[]): HiddenFolder[] {
  const walk: Walk = { hidden: new Set(), needed: new Map(), links: 0 };
  for (const one of paths) follow(path.resolve(one), walk);
  const topmost = [...walk.hidden].filter(
    (folder) => ![...walk.hidden].some((other) => isBelow(folder, other)),
  );
  return topmost.toSorted().map((folder) => ({
    path: folder,
    needed: outermost([...walk.needed.values()].filter((one) => isBelow(one.path, folder))),
  }));
}

/** Those of `folders` whose own mode keeps other users out; no mount changes that. */
export function closedFolders(folders: readonly string[]): string[] {
  return folders.filter((folder) => (lstatSync(folder).mode & LIST_AND_ENTER) !== LIST_AND_ENTER);
}

/** Whether `inner` lies below `outer`. */
export function isBelow(inner: string, outer: string): boolean {
  return inner !== outer && inner.startsWith(outer === '/' ? '/' : `${outer}/`);
}

interface Walk {
  hidden: Set<string>;
  needed: Map<string, NeededPath>;
  links: number;
}

/** Notes everything on the way to `target`, through links as the kernel would go. */
function follow(target: string, walk: Walk): void {
  const names = target.split('/').filter(Boolean);
  let at = '/';
  for (const [depth, name] of names.entries()) {
    const next = path.join(at, name);
    const found = lstatSync(next);
    if (found.isSymbolicLink()) {
      if ((walk.links += 1) > MOST_LINKS) throw new Error(`too many links on the way to ${target}`);
      const written = readlinkSync(next);
      walk.needed.set(next, { path: next, kind: 'link', target: written });
      follow(path.resolve(at, written, ...names.slice(depth + 1)), walk);
      return;
    }
    const isLast = depth === names.length - 1;
    if (!isLast && keepsOthersOut(found)) walk.hidden.add(next);
    at = next;
  }
  const kind = lstatSync(at).isDirectory() ? 'folder' : 'file';
  walk.needed.set(at, { path: at, kind });
}

function keepsOthersOut(found: Stats): boolean {
  return found.isDirectory() && (found.mode & ENTER) === 0;
}

/** Without what lies inside another needed folder. */
function outermost(needed: readonly NeededPath[]): NeededPath[] {
  return needed
    .filter(
      (one) => !needed.some((other) => other.kind === 'folder' && isBelow(one.path, other.path)),
    )
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
