import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

import { beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../requirements/verifies.js';
import { standInStarts } from './stand-in/stand-in-starts.js';
import { isAlive, processesOf, SupervisorRun } from './stand-in/supervisor-run.js';

const isRoot = process.geteuid?.() === 0;
/** A user that has nothing on this machine. */
const PLAIN_USER = 54_321;
const OWN_USERS = ['broker', 'gateway', 'dashboard', 'scheduler', 'redis'];

// Only root can become other users; for a user there is nothing to show, and a skipped test would count as failed.
const describeAsRoot: (title: string, tests: () => void) => void = isRoot ? describe : () => {};

/** User that a service runs as. */
function userOf(run: SupervisorRun, name: string): number {
  return statSync(`/proc/${run.service(name).pid}`).uid;
}

/** Lines of /proc/PID/status as a table. */
function status(pid: number): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/:\s*/, 2) as [string, string]));
}

/** What a user who is not the hive's sees of a command run inside the mount namespace of a process. */
function asStrangerIn(pid: number, command: string): string {
  const stranger = ['--reuid=60001', '--regid=60001', '--clear-groups'];
  const inside = [
    '-t',
    String(pid),
    '-m',
    'setpriv',
    ...stranger,
    'sh',
    '-c',
    `${command} 2>&1 || true`,
  ];
  return execFileSync('nsenter', inside, { encoding: 'utf8' });
}

/** Mode of a file with its type, as in `42750`. */
function modeOf(file: string): string {
  return (lstatSync(file).mode & 0o7777).toString(8);
}

describeAsRoot('npm start as root', () => {
  const starts = standInStarts();
  const { ready } = starts;

  describe(verifies('8.1', 'P29') + 'users and sockets', () => {
    it('runs all but c0re as users of their own, without capabilities and without a way to get any', async () => {
      const run = await ready();
      const uids = OWN_USERS.map((name) => {
        const facts = status(run.service(name).pid);
        expect(facts).toMatchObject({
          CapInh: '0000000000000000',
          CapPrm: '0000000000000000',
          CapEff: '0000000000000000',
          CapBnd: '0000000000000000',
          CapAmb: '0000000000000000',
          NoNewPrivs: '1',
        });
        expect(facts['Gid']).toBe(facts['Uid']);
        return Number(facts['Uid']?.split('\t')[0]);
      });
      expect(new Set(uids).size).toBe(OWN_USERS.length);
      expect(Math.min(...uids)).toBeGreaterThan(65_536);
      expect(status(run.service('c0re').pid)['Uid']).toMatch(/^0\t0/);
      const redis = String(userOf(run, 'redis'));
      expect(status(run.service('gateway').pid)['Groups']?.trim()).toBe('');
      expect(status(run.service('broker').pid)['Groups']?.trim()).toBe(redis);
    });

    it('gives each pair a socket folder of its own and each store its owner', async () => {
      const run = await ready();
      const sockets = run.hiveFile()?.sockets;
      const folderOf = (socket: string): string => path.dirname(sockets?.[socket] ?? '');
      const pair = statSync(folderOf('broker-gateway'));
      expect([pair.uid, pair.gid]).toEqual([userOf(run, 'broker'), userOf(run, 'gateway')]);
      expect(modeOf(folderOf('broker-gateway'))).toBe('2750');
      const c0res = statSync(folderOf('c0re-dashboard'));
      expect([c0res.uid, c0res.gid]).toEqual([0, userOf(run, 'dashboard')]);
      expect(modeOf(path.dirname(folderOf('c0re-admin')))).toBe('711');
      expect(statSync(folderOf('c0re-admin')).gid).toBe(0);

      const database = statSync(path.join(run.home, 'db/broker'));
      expect([database.uid, modeOf(path.join(run.home, 'db/broker'))]).toEqual([
        userOf(run, 'broker'),
        '700',
      ]);
      expect(modeOf(path.join(run.home, 'secrets'))).toBe('700');
      expect(modeOf(path.join(run.home, 'logs'))).toBe('700');
      for (const name of ['db', 'agents', 'applied'])
        expect(modeOf(path.join(run.home, name))).toBe('711');
    });

    it('keeps its users over a restart', async () => {
      const first = await ready();
      const before = userOf(first, 'broker');
      await first.stop();
      const second = await ready();
      expect(userOf(second, 'broker')).toBe(before);
    });

    it('refuses a home that belongs to another user', async () => {
      mkdirSync(starts.clone.home);
      chownSync(starts.clone.home, PLAIN_USER, PLAIN_USER);
      const run = await SupervisorRun.begin(starts.clone);
      expect(await run.ended).toBe(1);
      expect(run.output).toContain(`belongs to user ${PLAIN_USER}, and this is user 0`);
    });
  });

  describe(verifies('10.1') + 'a disk that is nearly full', () => {
    it('is refused before anything is made', async () => {
      const small = path.join(starts.clone.folder, 'small');
      mkdirSync(small);
      const mount = 'mount -t tmpfs -o size=10m tmpfs "$0" && exec "$@"';
      const run = await SupervisorRun.begin(starts.clone, {
        env: { HIVE_HOME: path.join(small, 'hive') },
        wrapper: ['unshare', '--mount', 'sh', '-c', mount, small],
      });
      expect(await run.ended).toBe(1);
      expect(run.output).toMatch(/only \d+ MB are free .* needs at least 200 MB/);
    });
  });

  describe(verifies('10.1', 'P29') + 'a clone below a folder that only root may enter', () => {
    beforeEach(() => {
      writeFileSync(path.join(starts.clone.folder, 'private'), 'private', { mode: 0o644 });
      starts.clone.close();
    });

    it('works, shows the hive only what it needs, and changes nothing for others', async () => {
      const run = await ready();
      const { pid } = run.service('broker');
      expect(status(pid)['Uid']).not.toMatch(/^0/);
      expect(asStrangerIn(pid, `ls ${starts.clone.folder}`).trim()).toBe('clone');
      expect(
        asStrangerIn(pid, `ls -A ${starts.clone.path}`).split('\n').filter(Boolean).toSorted(),
      ).toEqual(['.hive', 'dist', 'node_modules', 'package.json']);
      const touch = `touch ${starts.clone.folder}/x`;
      expect(asStrangerIn(pid, touch)).toMatch(/denied|Read-only/);
      const asRoot = spawnSync('nsenter', ['-t', String(pid), '-m', 'sh', '-c', touch]);
      expect(asRoot.stderr.toString()).toContain('Read-only');

      // Outside all is as it was, and the state folder is the real one.
      expect(modeOf(starts.clone.folder)).toBe('700');
      expect(readdirSync(starts.clone.folder).toSorted()).toEqual(['clone', 'private']);
      expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(starts.clone.folder);
      expect(readdirSync(run.home)).toEqual(expect.arrayContaining(['db', 'run', 'secrets']));
      expect(run.pids().every(isAlive)).toBe(true);
      expect(await run.stop()).toBe(0);
      expect(processesOf(starts.clone.path)).toEqual([]);
    });

    it('leaves no mount behind when the supervisor is killed, and starts again', async () => {
      const run = await ready();
      const pids = run.pids();
      run.child.kill('SIGKILL');
      await run.ended;
      await expect.poll(() => pids.filter(isAlive), { timeout: 15_000 }).toEqual([]);
      expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(starts.clone.folder);
      const next = await ready();
      expect(await next.stop()).toBe(0);
    });

    it('works when the clone itself is closed, and the state folder lies below another closed one', async () => {
      chmodSync(starts.clone.folder, 0o755);
      chmodSync(starts.clone.path, 0o700);
      const closed = path.join(starts.clone.folder, 'closed place');
      mkdirSync(closed, { mode: 0o700 });
      const run = await ready({ env: { HIVE_HOME: path.join(closed, 'deep', 'hive') } });
      expect(asStrangerIn(run.service('broker').pid, `ls '${closed}'`).trim()).toBe('deep');
      expect(await run.stop()).toBe(0);
      expect(modeOf(starts.clone.path)).toBe('700');
      expect(readdirSync(path.join(closed, 'deep', 'hive'))).toContain('db');
    });

    it('shows agents what the operator names besides', async () => {
      const run = await ready({
        env: { HIVE_REACHABLE: path.join(starts.clone.folder, 'private') },
      });
      const { pid } = run.service('broker');
      expect(asStrangerIn(pid, `cat ${starts.clone.folder}/private`)).toBe('private');
    });

    it('says what to do where root may not mount', async () => {
      const run = await SupervisorRun.begin(starts.clone, {
        wrapper: ['setpriv', '--bounding-set=-sys_admin', '--'],
      });
      expect(await run.ended).toBe(1);
      expect(run.output).toMatch(/may not enter .*does not let root make private mounts/);
      expect(run.output).toContain(`chmod o+x ${starts.clone.folder}`);
      expect(processesOf(starts.clone.path)).toEqual([]);
    });
  });
});
describe(verifies('10.1', 'P29') + 'npm start as an ordinary user', () => {
  const starts = standInStarts();
  beforeEach(() => {
    if (isRoot) starts.clone.giveTo(PLAIN_USER);
    starts.clone.close();
  });
  const ready = () => starts.ready(isRoot ? { uid: PLAIN_USER } : {});

  it('works, keeps its files to itself and says which protection is off', async () => {
    const run = await ready();
    const user = isRoot ? PLAIN_USER : process.geteuid?.();
    expect(run.pids().map((pid) => statSync(`/proc/${pid}`).uid)).toEqual(
      run.pids().map(() => user),
    );
    expect(run.output).toMatch(/Not protected\s+started as an ordinary user, agents can read/);
    expect(modeOf(run.home)).toBe('700');
    const pids = run.pids();
    expect(await run.stop()).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('ends with its supervisor', async () => {
    const run = await ready();
    const pids = run.pids();
    run.child.kill('SIGKILL');
    await expect.poll(() => pids.filter(isAlive), { timeout: 15_000 }).toEqual([]);
  });
});
