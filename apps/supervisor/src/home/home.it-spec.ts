import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SOCKET_PATH_BYTES } from '#libs/ipc';

import { verifies } from '../../../../test/requirements/verifies.js';
import { checkDiskSpace, LEAST_FREE_BYTES } from '../preflight/disk-space.check.js';
import { lockHome } from '../preflight/home-lock.js';
import { removeDeadRuntimeFolders, singleUser } from './hive-users.js';
import {
  linkSockets,
  makeRuntimeFolder,
  removeRuntimeFolder,
  runtimePath,
} from './runtime-folder.js';
import { openStateFolder, prepareStateFolder } from './state-folder.js';

describe('the folders of a hive', () => {
  let folder: string;
  const at = (...names: string[]): string => path.join(folder, ...names);

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hive-home-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  describe(verifies('10.1') + 'state', () => {
    it('is made whole, and again without a change', () => {
      const home = openStateFolder(at('deep', 'hive'));
      prepareStateFolder(home, singleUser);
      writeFileSync(path.join(home, 'secrets', 'kept'), 'x');
      prepareStateFolder(home, singleUser);
      expect(readdirSync(home).toSorted()).toEqual(
        'agents applied db docs forge logs meta redis run secrets shared'.split(' '),
      );
      expect(readlinkSync(path.join(home, 'db/threads.db'))).toBe('broker/threads.db');
      expect(readdirSync(path.join(home, 'secrets'))).toEqual(['kept']);
    });

    it('closes what was open by mistake', () => {
      const home = openStateFolder(at('hive'));
      mkdirSync(path.join(home, 'secrets'), { mode: 0o777 });
      chmodSync(path.join(home, 'secrets'), 0o777);
      prepareStateFolder(home, singleUser);
      expect(lstatSync(path.join(home, 'secrets')).mode & 0o777).toBe(0o700);
    });

    it('never follows a link that lies in the place of a folder', () => {
      const home = openStateFolder(at('hive'));
      mkdirSync(at('elsewhere'), { mode: 0o755 });
      symlinkSync(at('elsewhere'), path.join(home, 'secrets'));
      expect(() => prepareStateFolder(home, singleUser)).toThrow(/secrets must be a folder/);
      expect(lstatSync(at('elsewhere')).mode & 0o777).toBe(0o755);
    });

    it('needs free space', () => {
      expect(() => checkDiskSpace(at('not', 'yet'), () => LEAST_FREE_BYTES - 1)).toThrow(
        /only 199 MB are free .* needs at least 200 MB/,
      );
      expect(() => checkDiskSpace(at('not', 'yet'), () => LEAST_FREE_BYTES)).not.toThrow();
    });
  });

  describe(verifies('8.5') + 'lock', () => {
    it('is held until it is given back, and names its holder', () => {
      mkdirSync(at('run'));
      const lock = lockHome(folder);
      expect(() => lockHome(folder)).toThrow(
        `a hive already runs on ${folder} (process ${process.pid})`,
      );
      lock.release();
      lockHome(folder).release();
    });
  });

  describe(verifies('P37') + 'sockets', () => {
    it('have short paths, made anew at each start', () => {
      const run = at('runtime');
      const first = makeRuntimeFolder(run, singleUser);
      writeFileSync(first.sockets['broker-c0re'] ?? '', 'stale');
      const { sockets } = makeRuntimeFolder(run, singleUser);
      expect(readdirSync(path.dirname(sockets['broker-c0re'] ?? ''))).toEqual([]);
      const parent = `/run/user/1000`;
      const longest = `${runtimePath(parent, folder)}/broker-dashboard/broker-dashboard.sock`;
      expect(Buffer.byteLength(longest)).toBeLessThanOrEqual(SOCKET_PATH_BYTES);
    });

    it('of a hive that was killed are removed by the next one, those of a live one are not', () => {
      makeRuntimeFolder(at('hyperhive-live'), singleUser);
      makeRuntimeFolder(at('hyperhive-dead'), singleUser);
      makeRuntimeFolder(at('hyperhive-elsewhere'), singleUser);
      const rewrite = (name: string, change: object): void => {
        const file = at(name, 'owner.json');
        const owner = JSON.parse(readFileSync(file, 'utf8')) as object;
        writeFileSync(file, JSON.stringify({ ...owner, ...change }));
      };
      rewrite('hyperhive-dead', { start: '1' });
      rewrite('hyperhive-elsewhere', { start: '1', boot: 'another container' });
      mkdirSync(at('hyperhive-being-made'));
      removeDeadRuntimeFolders(folder);
      expect(readdirSync(folder).toSorted()).toEqual([
        'hyperhive-being-made',
        'hyperhive-elsewhere',
        'hyperhive-live',
      ]);
    });

    it('are refused in a folder that is a link', () => {
      mkdirSync(at('elsewhere'));
      symlinkSync(at('elsewhere'), at('runtime'));
      expect(() => makeRuntimeFolder(at('runtime'), singleUser)).toThrow('not a folder');
      expect(readdirSync(at('elsewhere'))).toEqual([]);
    });

    it('are linked in the state folder where the link is short enough', () => {
      const home = openStateFolder(at('hive'));
      prepareStateFolder(home, singleUser);
      const runtime = makeRuntimeFolder(at('runtime'), singleUser);
      linkSockets(home, runtime.sockets);
      expect(readlinkSync(path.join(home, 'run/redis.sock'))).toBe(runtime.sockets['redis']);
      removeRuntimeFolder(home, runtime);
      expect(readdirSync(path.join(home, 'run'))).toEqual([]);

      const long = openStateFolder(at('x'.repeat(90)));
      prepareStateFolder(long, singleUser);
      linkSockets(long, runtime.sockets);
      expect(readdirSync(path.join(long, 'run'))).toEqual([]);
    });
  });
});
