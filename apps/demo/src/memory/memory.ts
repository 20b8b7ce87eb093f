import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Where a piece of work stands, by the thread in which it is talked about. */
export interface Work {
  topic: string;
  /** What the next message in the thread is about, for the one who remembers it. */
  stage: string;
  /** The operator's message that it is all for. */
  origin?: string;
  /** Counts the rounds that follow each other by themselves. */
  round?: number;
}

/** What a scripted agent keeps between its turns. */
export interface Memory {
  threads: Record<string, Work>;
  /** Work for the turn that it asked for. */
  next: Work[];
  /** What it did last, in words. */
  last: string;
  /** What the question is about that it put to the operator. */
  asked?: string;
}

/** Threads that are remembered; the oldest go. */
const MOST_THREADS = 200;

/** The memory in a folder; empty when there is none or it cannot be read. */
export function readMemory(folder: string): Memory {
  try {
    const known = JSON.parse(readFileSync(fileIn(folder), 'utf8')) as Partial<Memory>;
    const { threads = {}, next = [], last = '', asked } = known;
    return { threads, next, last, ...(asked === undefined ? {} : { asked }) };
  } catch {
    return { threads: {}, next: [], last: '' };
  }
}

/** Replaces the memory as a whole, so that a turn that is killed leaves the old one. */
export function writeMemory(folder: string, memory: Memory): void {
  const threads = Object.fromEntries(Object.entries(memory.threads).slice(-MOST_THREADS));
  const file = fileIn(folder);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify({ ...memory, threads }, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

function fileIn(folder: string): string {
  return path.join(folder, 'memory.json');
}
