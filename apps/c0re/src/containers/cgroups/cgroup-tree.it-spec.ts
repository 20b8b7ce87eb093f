import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { CgroupTree } from './cgroup-tree.js';

/** Stands in for a mounted version 2: the kernel makes the files of a group with its folder, this does it before. */
let root: string;
let tree: CgroupTree;
const LIMITS = { memoryBytes: 64 * 1024 * 1024, cpus: 0.5, pids: 32 };

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'cgroup-'));
  tree = new CgroupTree('hive', {
    unified: root,
    unifiedControllers: ['cpu', 'memory', 'pids'],
    legacy: new Map(),
  });
  mkdirSync(path.join(root, 'hyperhive-hive/7'), { recursive: true });
  for (const file of ['memory.max', 'memory.swap.max', 'cpu.max', 'pids.max', 'cgroup.kill']) {
    writeFileSync(path.join(root, 'hyperhive-hive/7', file), '');
  }
});
afterEach(() => rmSync(root, { recursive: true }));

const read = (file: string) => readFileSync(path.join(root, 'hyperhive-hive', file), 'utf8');

describe(verifies('4.2') + 'groups of version 2', () => {
  it('are handed their controllers and get their limits', () => {
    expect(tree.prepare()).toEqual([]);
    tree.create(7, LIMITS);
    expect(read('cgroup.subtree_control')).toBe('+memory +cpu +pids');
    expect(read('7/memory.max')).toBe(String(64 * 1024 * 1024));
    expect(read('7/memory.swap.max')).toBe('0');
    expect(read('7/cpu.max')).toBe('50000 100000');
    expect(read('7/pids.max')).toBe('32');
  });

  it('are entered by the program itself, once', () => {
    const group = path.join(root, 'hyperhive-hive/7');
    const line = tree.inside(7, ['/bin/true', 'x']);
    expect(line.slice(3)).toEqual(['sh', '1', group, '/bin/true', 'x']);
  });

  it('count what runs in groups below them', () => {
    mkdirSync(path.join(root, 'hyperhive-hive/7/payload'));
    writeFileSync(path.join(root, 'hyperhive-hive/7/cgroup.procs'), '');
    writeFileSync(path.join(root, 'hyperhive-hive/7/payload/cgroup.procs'), '12\n13\n');
    expect(tree.processes(7)).toEqual([12, 13]);
    expect(tree.agents()).toEqual([7]);
    expect(tree.processes(8)).toEqual([]);
    tree.kill(7);
    expect(read('7/cgroup.kill')).toBe('1');
  });

  it('are said to be missing where they cannot be made', () => {
    const nowhere = new CgroupTree('hive', {
      unified: '/proc/nowhere',
      unifiedControllers: ['cpu', 'memory', 'pids'],
      legacy: new Map(),
    });
    expect(nowhere.prepare()).toEqual(['memory', 'cpu', 'pids']);
    nowhere.create(7, LIMITS);
    expect(nowhere.inside(7, ['/bin/true']).slice(3)).toEqual(['sh', '0', '/bin/true']);
    expect(existsSync('/proc/nowhere')).toBe(false);
  });
});
