import { HiveError } from '#libs/protocol';

/** Bytes of a whole path and of one part of it, as Linux has them, and how deep it may lead. */
const PATH_BYTES = 4095;
const PART_BYTES = 255;
const DEPTH = 64;
// oxlint-disable-next-line no-control-regex -- these are what is refused
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Where a path below an agent's state folder or the shared space leads. */
export interface StatePath {
  root: 'state' | 'shared';
  /** Names below the root; none: the root itself. */
  parts: string[];
}

/**
 * Takes a path apart as agents write it: `notes/a.md` and `/agents/<name>/state/notes/a.md` are the agent's own,
 * `/shared/a.md` everybody's. Nothing else is a path here: no other absolute one, no empty part, no `.` or `..`, and
 * nothing is decoded or normalized.
 */
export function parseStatePath(agent: string, path: string): StatePath {
  const problem = pathProblem(path);
  if (problem !== undefined) throw new HiveError('invalid_request', `the path ${problem}`);
  const own = `/agents/${agent}/state`;
  if (path === own || path.startsWith(`${own}/`)) {
    return { root: 'state', parts: split(path.slice(own.length + 1)) };
  }
  if (path === '/shared' || path.startsWith('/shared/')) {
    return { root: 'shared', parts: split(path.slice('/shared/'.length)) };
  }
  if (path.startsWith('/')) {
    throw new HiveError(
      'invalid_request',
      `the path is outside; give one below the state folder of ${agent}, or below /shared/`,
    );
  }
  return { root: 'state', parts: split(path) };
}

function split(relative: string): string[] {
  if (relative === '') return [];
  const parts = relative.split('/');
  for (const part of parts) {
    if (part === '' || part === '.' || part === '..') {
      throw new HiveError(
        'invalid_request',
        'the path has an empty part, or one that is . or ..; give the plain names of folders and file',
      );
    }
    if (Buffer.byteLength(part) > PART_BYTES) {
      throw new HiveError('invalid_request', `a part of the path is over ${PART_BYTES} bytes`);
    }
  }
  if (parts.length > DEPTH) {
    throw new HiveError('invalid_request', `the path leads through more than ${DEPTH} folders`);
  }
  return parts;
}

function pathProblem(path: string): string | undefined {
  if (Buffer.byteLength(path) > PATH_BYTES) return `is over ${PATH_BYTES} bytes`;
  if (!path.isWellFormed()) return 'is not Unicode text (it has a lone surrogate)';
  if (CONTROL.test(path)) return 'has a control character';
  return undefined;
}
