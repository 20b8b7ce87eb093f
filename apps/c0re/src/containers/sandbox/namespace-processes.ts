import { readFileSync } from 'node:fs';

/** A process as seen from the host and from the innermost process namespace that it is in. */
interface NamespaceView {
  pid: number;
  name: string;
  parent: number;
  /** Its ids, from the host's to that of its own namespace. */
  ids: readonly number[];
}

/** The process among `pids` that number 1 of a process namespace started; undefined while there is none. */
export function childOfInit(
  pids: readonly number[],
  initName: string | undefined,
): number | undefined {
  const views = pids.map((pid) => viewOf(pid)).filter((view) => view !== undefined);
  const inits = views.filter(
    ({ ids, name }) =>
      ids.length > 1 && ids.at(-1) === 1 && (initName === undefined || name === initName),
  );
  return views.find(({ parent, ids }) =>
    inits.some((init) => init.pid === parent && init.ids.length === ids.length),
  )?.pid;
}

function viewOf(pid: number): NamespaceView | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1] ?? '';
    return {
      pid,
      name: field('Name'),
      parent: Number(field('PPid')),
      ids: field('NSpid').split(/\s+/).map(Number),
    };
  } catch {
    return undefined;
  }
}
