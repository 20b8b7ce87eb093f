import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { systemClock } from '#libs/service';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { lives } from '../../testing/c0re.fixture.js';
import { describeAsRoot } from '../../testing/describe-as-root.js';
import { NixosRecorder } from '../../testing/nixos-recorder.js';
import type { ContainerProgram } from '../container-driver.js';
import { NixosContainerCli } from './nixos-container.cli.js';
import { NixosContainerDriver } from './nixos-container.driver.js';

const BOUNDS = { termMs: 5000, leftoversMs: 100, killMs: 5000 };
const ada = { agentId: 40, name: 'ada', user: 900_001_000 };
const NAME = 'habcd-14';

let folder: string;
let recorder: NixosRecorder;
let driver: NixosContainerDriver;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'nixos-'));
  recorder = new NixosRecorder(folder);
  vi.stubEnv('PATH', `${recorder.binDir}:${process.env['PATH'] ?? ''}`);
  driver = newDriver();
});
afterEach(async () => {
  await driver.destroy(ada).catch(() => {});
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function newDriver(flake: string | undefined = '/etc/hive#agent'): NixosContainerDriver {
  return new NixosContainerDriver({
    hiveId: 'abcdef0123456789',
    clock: systemClock,
    adoptedPollMs: 20,
    folder: path.join(folder, 'containers'),
    flake,
    confDir: recorder.confDir,
  });
}

function program(change: Partial<ContainerProgram> = {}): ContainerProgram {
  return {
    argv: ['/opt/hive/bin/node', 'main.js'],
    env: { HIVE_AGENT: 'ada', HIVE_PROOF: 'not-to-be-seen\nPRIVATE_USERS=no' },
    cwd: '/agents/ada/state',
    logFile: path.join(folder, 'ada.log'),
    mounts: [{ source: '/srv/hive/agents/ada/state', target: '/agents/ada/state', writable: true }],
    limits: { memoryBytes: 1024 ** 3, cpus: 1.5, pids: 99 },
    network: 'model',
    ...change,
  };
}
const cli = () =>
  new NixosContainerCli({ confDir: recorder.confDir, workDir: path.join(folder, 'work') });
const verbs = () => recorder.calls().map(({ argv }) => argv.slice(0, 2).join(' '));

describeAsRoot(verifies('4.2') + 'nixos-container, against a recorder', () => {
  it('makes, configures, starts and limits a container; values of the environment are on no command line', async () => {
    await driver.check();
    const running = await driver.start(ada, program());
    expect(lives(running.pid)).toBe(true);
    expect(verbs()).toEqual([
      'nixos-container list',
      'nixos-container status',
      'nixos-container create',
      'nixos-container start',
      'systemctl set-property',
      'machinectl show',
    ]);
    expect(recorder.calls()[2]?.argv).toEqual([
      'nixos-container',
      'create',
      NAME,
      '--flake',
      '/etc/hive#agent',
    ]);
    expect(recorder.calls()[4]?.argv.slice(3)).toEqual([
      `container@${NAME}.service`,
      'MemoryMax=1073741824',
      'MemorySwapMax=0',
      'CPUQuota=150%',
      'TasksMax=99',
    ]);
    const conf = recorder.conf(NAME);
    expect(conf).toEqual(
      expect.arrayContaining(['PRIVATE_NETWORK=1', 'HOST_ADDRESS=', 'PRIVATE_USERS=900000000']),
    );
    expect(conf.filter((line) => line.startsWith('PRIVATE_NETWORK='))).toHaveLength(1);
    const flags = conf.find((line) => line.startsWith('EXTRA_NSPAWN_FLAGS='));
    expect(flags).toContain(' --bind=/srv/hive/agents/ada/state:/agents/ada/state ');
    expect(flags).toContain('--no-new-privileges=yes --system-call-filter=~@mount ');
    expect(JSON.stringify([recorder.calls(), conf])).not.toContain('not-to-be-seen');
    const launch = path.join(folder, 'containers/40/launch/program.json');
    expect(JSON.parse(readFileSync(launch, 'utf8'))).toMatchObject({ cwd: '/agents/ada/state' });
    expect([statSync(launch).uid, statSync(launch).mode & 0o777]).toEqual([ada.user, 0o400]);
    // Builds leave links in the folder in which the tool runs.
    const places = new Set(recorder.calls().map(({ cwd }) => cwd));
    expect([...places]).toEqual([path.join(folder, 'containers/nixos-work')]);
    expect(verbs().some((verb) => / (run|root-login)$/.test(verb))).toBe(false);
  });

  it('stops, starts again without a build, is found again, and is destroyed twice', async () => {
    const first = await driver.start(ada, program());
    await driver.stop(ada, first, BOUNDS);
    await first.exited;
    await driver.stop(ada, first, BOUNDS);
    expect(await driver.inspect(ada)).toEqual([]);
    const second = await driver.start(ada, program());
    expect(verbs().filter((verb) => verb.endsWith('create'))).toHaveLength(1);
    const later = newDriver();
    expect(later.adopt(ada, JSON.parse(JSON.stringify(second.handle)))?.pid).toBe(second.pid);
    expect(later.adopt(ada, first.handle)).toBeUndefined();
    expect(await later.strays()).toEqual([40]);
    expect(await later.inspect(ada)).toEqual([second.pid]);
    await later.destroy(ada);
    await later.destroy(ada);
    expect(await later.strays()).toEqual([]);
    expect(readdirSync(recorder.confDir)).toEqual([]);
    expect(existsSync(path.join(folder, 'containers/40'))).toBe(false);
  });

  it('ends one that does not stop, and says when even that fails', async () => {
    const running = await driver.start(ada, program());
    recorder.fail('stop');
    await driver.stop(ada, running, { ...BOUNDS, termMs: 300 });
    expect(verbs().at(-2)).toBe('nixos-container terminate');
    const again = await driver.start(ada, program());
    recorder.fail('terminate');
    await expect(
      driver.stop(ada, again, { termMs: 300, leftoversMs: 0, killMs: 300 }),
    ).rejects.toThrow(/habcd-14 of ada is still up 300 ms after/);
  });

  it('leaves nothing of one that does not build', async () => {
    recorder.fail('build');
    await expect(driver.create(ada)).rejects.toThrow(/does not build: error: attribute agent/);
    expect(readdirSync(recorder.confDir)).toEqual([]);
  });

  it('says why it cannot be used', async () => {
    await expect(newDriver('').check()).resolves.toBeUndefined();
    const without = new NixosContainerDriver({
      hiveId: 'abcdef0123456789',
      clock: systemClock,
      adoptedPollMs: 20,
      folder: path.join(folder, 'containers'),
      flake: undefined,
    });
    await expect(without.check()).rejects.toThrow(/no flake is named.*HIVE_NIXOS_FLAKE/);
    vi.stubEnv('PATH', '/nowhere');
    await expect(driver.check()).rejects.toThrow(/nixos-container cannot be run/);
  });

  it.each([
    ['a space', { source: '/srv/my files', target: '/x', writable: true }],
    ['a line of its own', { source: '/srv/x\nPRIVATE_USERS=no', target: '/x', writable: true }],
    ['a colon', { source: '/srv/a:/b', target: '/x', writable: true }],
  ])('refuses a path with %s', async (_what, mount) => {
    await expect(driver.start(ada, program({ mounts: [mount] }))).rejects.toThrow(
      /cannot be bound/,
    );
  });
});

describeAsRoot(verifies('4.2') + 'the command line of nixos-container', () => {
  it.each(['-x', '0', 'a/b', 'a;id', '$(id)', 'a\n', 'abcdefghijkl', 'ä', '..', '', 'A', 'a_b'])(
    'takes no name %j',
    async (name) => {
      await expect(cli().start(name)).rejects.toThrow(/cannot name a NixOS container/);
      expect(existsSync(path.join(folder, 'calls'))).toBe(false);
    },
  );

  it.each([
    '-x#a',
    'a',
    '/etc/hive#',
    '/etc/hive#a"b',
    "/etc/'hive#a",
    '/etc/hi ve#a',
    '$(id)#a',
    '#a',
  ])('takes no flake %j', async (flake) => {
    await expect(cli().create('a', flake)).rejects.toThrow(/is not a flake with an attribute/);
    expect(existsSync(path.join(folder, 'calls'))).toBe(false);
  });

  it('gives the whole reference at each update', async () => {
    await cli().create('a', 'git+https://host/repo#agent');
    await cli().update('a', 'git+https://host/repo#agent');
    expect(recorder.calls().at(-1)?.argv).toEqual([
      'nixos-container',
      'update',
      'a',
      '--flake',
      'git+https://host/repo#agent',
    ]);
  });

  it('knows a container that is gone, and one that is down', async () => {
    expect(await cli().status('a')).toBe('gone');
    await cli().create('a', '/etc/hive#agent');
    expect(await cli().status('a')).toBe('down');
    expect(await cli().leader('a')).toBeUndefined();
  });

  it('writes no setting with a newline', async () => {
    await cli().create('a', '/etc/hive#agent');
    expect(() => cli().configure('a', { X: 'y\nEXTRA_NSPAWN_FLAGS=--bind=/' })).toThrow(
      /would hold characters/,
    );
  });
});
