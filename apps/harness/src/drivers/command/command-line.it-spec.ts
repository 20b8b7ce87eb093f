import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { resolveCommand } from './command-line.js';

let folder: string;
let tree: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hive-argv-'));
  tree = path.join(folder, 'config');
  mkdirSync(path.join(tree, 'bots'), { recursive: true });
  writeFileSync(path.join(tree, 'bots/bot.mjs'), '');
  writeFileSync(path.join(folder, 'outside'), '');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe(verifies('5.2') + 'argv of a command', () => {
  it('takes names of files in the config tree from there, and nothing else', () => {
    const command = ['node', 'bots/bot.mjs', '--flag', '../outside', '/bin/sh', 'word', ''];
    expect(resolveCommand(command, tree)).toEqual([
      'node',
      path.join(tree, 'bots/bot.mjs'),
      '--flag',
      '../outside',
      '/bin/sh',
      'word',
      '',
    ]);
  });

  it('is refused when it is empty, with the cure', () => {
    expect(() => resolveCommand([], tree)).toThrow('set command to the argv');
  });
});
