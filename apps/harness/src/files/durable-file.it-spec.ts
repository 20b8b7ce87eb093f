import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { SmallDisk } from '../../../../test/support/small-disk.js';
import { removeDurably, writeDurably } from './durable-file.js';

/** Filling a file system needs one of its own, and mounting it root. */
const describeAsRoot: (title: string, body: () => void) => void =
  process.getuid?.() === 0 ? describe : () => {};

let folder: string;
const file = () => path.join(folder, 'ends.json');

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hive-durable-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe(verifies('5.1') + 'a durable file', () => {
  it('holds what was written last, and is gone when removed', () => {
    writeDurably(file(), 'old');
    writeDurably(file(), 'new');
    expect(readFileSync(file(), 'utf8')).toBe('new');
    removeDurably(file());
    removeDurably(file());
    expect(() => readFileSync(file())).toThrow('ENOENT');
  });
});

describeAsRoot(verifies('5.1') + 'a durable file on a full disk', () => {
  it('keeps the old text whole when only a part of the new one fits', async () => {
    const disk = SmallDisk.mount(folder, 2);
    if (typeof disk === 'string') throw new Error(disk);
    try {
      writeDurably(file(), 'old');
      // 2 MiB of which the file takes a part: the kernel writes what fits and says how much.
      expect(() => writeDurably(file(), 'x'.repeat(4 * 1024 * 1024))).toThrow('ENOSPC');
      expect(readFileSync(file(), 'utf8')).toBe('old');
    } finally {
      disk.unmount();
    }
  });
});
