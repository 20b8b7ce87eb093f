import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { closedFolders, findHiddenFolders } from './hidden-folders.js';

describe(verifies('10.1') + 'folders that only their owner may enter', () => {
  let root: string;
  const at = (...names: string[]): string => path.join(root, ...names);

  beforeEach(() => {
    root = realpathSync(mkdtempSync(path.join(tmpdir(), 'hive-hidden-')));
    chmodSync(root, 0o755);
    mkdirSync(at('home', 'clone', 'dist'), { recursive: true });
    writeFileSync(at('home', 'clone', 'package.json'), '{}');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('are none when everybody may pass', () => {
    expect(findHiddenFolders([at('home/clone/dist')])).toEqual([]);
  });

  it('are the topmost ones, with what is needed below them', () => {
    chmodSync(at('home'), 0o700);
    chmodSync(at('home/clone'), 0o700);
    expect(findHiddenFolders([at('home/clone/dist'), at('home/clone/package.json')])).toEqual([
      {
        path: at('home'),
        needed: [
          { path: at('home/clone/dist'), kind: 'folder' },
          { path: at('home/clone/package.json'), kind: 'file' },
        ],
      },
    ]);
  });

  it('are found behind links, which are needed too', () => {
    mkdirSync(at('elsewhere', 'modules'), { recursive: true });
    chmodSync(at('elsewhere'), 0o700);
    chmodSync(at('home'), 0o700);
    symlinkSync('../../elsewhere/modules', at('home/clone/node_modules'));
    expect(findHiddenFolders([at('home/clone/node_modules')])).toEqual([
      { path: at('elsewhere'), needed: [{ path: at('elsewhere/modules'), kind: 'folder' }] },
      {
        path: at('home'),
        needed: [
          { path: at('home/clone/node_modules'), kind: 'link', target: '../../elsewhere/modules' },
        ],
      },
    ]);
  });

  it('do not include the needed folder itself, which is looked at apart', () => {
    chmodSync(at('home/clone/dist'), 0o700);
    expect(findHiddenFolders([at('home/clone/dist')])).toEqual([]);
    expect(closedFolders([at('home/clone/dist'), at('home/clone')])).toEqual([
      at('home/clone/dist'),
    ]);
  });

  it('name a needed folder inside another one once', () => {
    chmodSync(at('home'), 0o700);
    mkdirSync(at('home/clone/dist/web'));
    const [hidden] = findHiddenFolders([at('home/clone/dist/web'), at('home/clone/dist')]);
    expect(hidden?.needed).toEqual([{ path: at('home/clone/dist'), kind: 'folder' }]);
  });

  it('give up on links that lead in a circle', () => {
    symlinkSync('b', at('a'));
    symlinkSync('a', at('b'));
    expect(() => findHiddenFolders([at('a')])).toThrow('too many links');
  });
});
