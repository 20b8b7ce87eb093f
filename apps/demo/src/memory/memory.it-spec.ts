import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { readMemory, writeMemory, type Memory } from './memory.js';

const folder = mkdtempSync(path.join(tmpdir(), 'hive-demo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe(verifies('10.1') + "a character's memory", () => {
  it('starts empty, keeps what was written, and bounds what it keeps', () => {
    const here = path.join(folder, 'new', 'state');
    expect(readMemory(here)).toEqual({ threads: {}, next: [], last: '' });
    const threads = Object.fromEntries(
      Array.from({ length: 250 }, (_, n) => [`m${n + 1}`, { topic: 't', stage: 's' }]),
    );
    const memory: Memory = { threads, next: [{ topic: 'a', stage: 'b' }], last: 'c' };
    writeMemory(here, memory);
    const known = readMemory(here);
    expect(known).toMatchObject({ next: memory.next, last: 'c' });
    expect(Object.keys(known.threads)).toHaveLength(200);
    expect(known.threads['m250']).toBeDefined();
    expect(readdirSync(here)).toEqual(['memory.json']);
  });

  it('starts anew when the file is broken', () => {
    writeFileSync(path.join(folder, 'memory.json'), '{"threads": {');
    expect(readMemory(folder)).toEqual({ threads: {}, next: [], last: '' });
  });
});
