import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

import { HiveError } from '#libs/protocol';

import { Slots } from './slots.js';

/** As whom a git runs; undefined: as c0re's own user, where everything runs as one. */
export type GitUser = { uid: number; group?: number } | undefined;

export interface GitCall {
  /** The repository itself (`.git`, or a bare one); undefined for `init`. */
  gitDir?: string;
  workTree?: string;
  as: GitUser;
  input?: string | Buffer;
  /** Most bytes of stdout; more ends the git. */
  maxBytes?: number;
}

/** Longest that one git may take, in milliseconds. */
const GIT_MS = 20_000;
/** However many requests ask for a diff at once, c0re starts no more gits than this at a time. */
const SLOTS = new Slots(8);
const MOST_BYTES = 33_554_432;
const STDERR_CHARS = 2000;
/** A git that is fed by an attacker must not be able to fill memory or disk either. */
const BOUNDS = ['--cpu=60', '--as=2147483648', '--fsize=268435456', '--core=0'];
const NO_PRIVILEGES = [
  '--inh-caps=-all',
  '--ambient-caps=-all',
  '--bounding-set=-all',
  '--no-new-privs',
];

/**
 * Git as c0re runs it: no configuration of the machine or of a user, no hooks, no prompts, no transport, no background
 * work, nothing lazily fetched, replaced or grafted. Nothing that lies in a repository can make it start a program.
 */
const ENVIRONMENT = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '/bin/false',
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_NO_LAZY_FETCH: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_GRAFT_FILE: '/dev/null',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_PAGER: 'cat',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  TZ: 'UTC',
};
const CONFIG = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.alternateRefsCommand=',
  'core.sshCommand=/bin/false',
  'core.attributesFile=/dev/null',
  'core.commitGraph=false',
  'core.multiPackIndex=false',
  'core.bigFileThreshold=1m',
  'core.fsync=all',
  'core.pager=cat',
  'protocol.allow=never',
  'commit.gpgSign=false',
  'tag.gpgSign=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'user.name=hyperhive',
  'user.email=hyperhive@localhost',
  'init.defaultBranch=main',
  'advice.detachedHead=false',
].flatMap((entry) => ['-c', entry]);

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Why a git ended without doing what it should: its own words, for people. */
export class GitError extends Error {
  override readonly name = 'GitError';
}

/** Runs git and returns its stdout. @throws GitError with what it said. */
export async function git(call: GitCall, ...args: string[]): Promise<Buffer> {
  return SLOTS.run(() => {
    const child = start(call, args);
    child.stdin.on('error', () => {}); // It may end before it has read all; its exit code tells.
    child.stdin.end(call.input ?? '');
    return result(child, args[0] ?? '', call.maxBytes ?? MOST_BYTES);
  });
}

/** The same as text without the last line end. */
export async function gitText(call: GitCall, ...args: string[]): Promise<string> {
  return (await git(call, ...args)).toString('utf8').replace(/\n$/, '');
}

/**
 * Copies a commit with all that belongs to it from one repository into another, each read and written by its own user.
 * More than `maxBytes` are refused.
 */
export function copyCommit(
  from: GitCall,
  to: GitCall,
  sha: string,
  maxBytes: number,
): Promise<void> {
  return SLOTS.run(() => copy(from, to, sha, maxBytes));
}

async function copy(from: GitCall, to: GitCall, sha: string, maxBytes: number): Promise<void> {
  const source = start(from, ['pack-objects', '--revs', '--stdout', '--quiet', '--threads=1']);
  const target = start(to, [
    'index-pack',
    '--stdin',
    '--strict',
    '--threads=1',
    `--max-input-size=${maxBytes}`,
  ]);
  source.stdin.on('error', () => {});
  target.stdin.on('error', () => kill(source));
  source.stdin.end(`${sha}\n`);
  let bytes = 0;
  source.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) kill(source);
  });
  source.stdout.pipe(target.stdin);
  const ends = await Promise.allSettled([
    exit(source, 'pack-objects'),
    result(target, 'index-pack', MOST_BYTES),
  ]);
  if (bytes > maxBytes) {
    throw new HiveError(
      'too_large',
      `the commit and its history are over ${maxBytes} bytes; submit one with a smaller history`,
    );
  }
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

function start({ gitDir, workTree, as }: GitCall, args: string[]): Child {
  const argv = ['git', ...CONFIG, ...args];
  const [file = '', ...rest] = as === undefined ? argv : [...userArgv(as), ...argv];
  return spawn(file, rest, {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...ENVIRONMENT,
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      ...(gitDir === undefined ? {} : { GIT_DIR: gitDir }),
      ...(workTree === undefined ? {} : { GIT_WORK_TREE: workTree }),
    },
  });
}

function userArgv({ uid, group }: { uid: number; group?: number }): string[] {
  const groups = group === undefined ? '--clear-groups' : `--groups=${group}`;
  return [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${uid}`,
    groups,
    ...NO_PRIVILEGES,
    'prlimit',
    ...BOUNDS,
  ];
}

async function result(child: Child, what: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) kill(child);
    else chunks.push(chunk);
  });
  await exit(child, what);
  if (bytes > maxBytes) throw new GitError(`git ${what} said more than ${maxBytes} bytes`);
  return Buffer.concat(chunks);
}

function exit(child: Child, what: string): Promise<void> {
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8')}`.slice(-STDERR_CHARS);
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      said = `it took longer than ${GIT_MS / 1000} s`;
      kill(child);
    }, GIT_MS);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else reject(new GitError(`git ${what} failed (${signal ?? code}): ${said.trim()}`));
    });
  });
}

function kill({ pid }: Child): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
