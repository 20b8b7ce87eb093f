import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';

import type { ReminderNote } from '#libs/protocol';

/** A line of a bot's notes. */
export type Note = { at: number; turn: string } & (
  | {
      event: 'shown';
      id: string;
      from: string;
      kind: string;
      name?: string;
      redelivered: boolean;
      attempt: number;
      priority: string;
      broadcast: boolean;
      /** The sender's number of it. */
      number?: number;
      /** Number of the probe that it is. */
      probe?: number;
      reminder?: ReminderNote;
      by: 'prompt' | 'recv';
    }
  | { event: 'tries'; number: number; tool: string; to?: string }
  | { event: 'did'; number: number; tool: string; id?: string; due_at?: string; note?: string }
  | { event: 'refused'; number: number; tool: string; code: string; message: string }
  | { event: 'failed'; message: string }
);

export type Shown = Note & { event: 'shown' };
export type Did = Note & { event: 'did' };
export type Refusal = Note & { event: 'refused' };

/** Everything that a bot wrote down, in its order. */
export function readNotes(folder: string): Note[] {
  try {
    return parse(readFileSync(fileOf(folder), 'utf8'));
  } catch {
    return []; // It was never woken.
  }
}

/** What a bot writes down from now on. */
export class NotesTail {
  private offset: number;

  constructor(private readonly folder: string) {
    this.offset = this.size();
  }

  /** Whole lines since the last look. */
  more(): Note[] {
    const end = this.size();
    if (end === this.offset) return [];
    const file = openSync(fileOf(this.folder), 'r');
    try {
      const bytes = Buffer.alloc(end - this.offset);
      const count = readSync(file, bytes, 0, bytes.length, this.offset);
      const whole = bytes.subarray(0, count).lastIndexOf('\n') + 1;
      this.offset += whole;
      return parse(bytes.toString('utf8', 0, whole));
    } finally {
      closeSync(file);
    }
  }

  private size(): number {
    try {
      const file = openSync(fileOf(this.folder), 'r');
      const { size } = fstatSync(file);
      closeSync(file);
      return size;
    } catch {
      return 0;
    }
  }
}

function fileOf(folder: string): string {
  return path.join(folder, 'notes.jsonl');
}

/** A bot that was killed in the middle of a write may leave a torn line. */
function parse(text: string): Note[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as Note];
    } catch {
      return [];
    }
  });
}
