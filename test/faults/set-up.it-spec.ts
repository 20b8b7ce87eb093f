import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../requirements/verifies.js';

const SOURCE = path.resolve(import.meta.dirname, '../..');

describe(verifies('10.1') + 'the set-up of a clone', () => {
  let clone: string;

  beforeEach(() => {
    clone = mkdtempSync(path.join(tmpdir(), 'hive-set-up-'));
    for (const part of ['package.json', 'package-lock.json', 'scripts']) {
      cpSync(path.join(SOURCE, part), path.join(clone, part), { recursive: true });
    }
  });
  afterEach(() => rmSync(clone, { recursive: true, force: true }));

  function run(script: string, args: readonly string[] = [], env: Record<string, string> = {}) {
    const found = spawnSync(process.execPath, [path.join(clone, 'scripts', script), ...args], {
      cwd: clone,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: clone, ...env },
    });
    return { code: found.status, output: found.stdout + found.stderr };
  }

  it('says in one message that packages cannot be installed, and stops', () => {
    const { code, output } = run('start.mjs', [], {
      npm_config_registry: 'http://127.0.0.1:1',
      npm_config_cache: path.join(clone, 'cache'),
      npm_config_fetch_retries: '0',
    });
    expect(code).toBe(1);
    expect(output).toMatch(/ECONNREFUSED[^]*ci .*failed \(exit code 1\)\. Is this machine online/);
    expect(output).not.toContain('at async');
    expect(existsSync(path.join(clone, 'dist', '.set-up.lock'))).toBe(false);
  });

  it('takes packages that somebody installed by hand, but not others', () => {
    const installed = path.join(clone, 'node_modules');
    mkdirSync(installed);
    const lock = JSON.parse(readFileSync(path.join(clone, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string }>;
    };
    delete lock.packages[''];
    const hidden = path.join(installed, '.package-lock.json');
    writeFileSync(hidden, JSON.stringify(lock));
    // Without sources the build fails next, which shows that the installation was taken.
    const taken = run('start.mjs', ['--redis-url', 'redis://127.0.0.1:1']);
    expect(taken.output).not.toContain('installing dependencies');

    rmSync(path.join(installed, '.installed-lockfile'));
    const [first = ''] = Object.keys(lock.packages);
    lock.packages[first] = { version: '0.0.0' };
    writeFileSync(hidden, JSON.stringify(lock));
    const refused = run('start.mjs', [], {
      npm_config_registry: 'http://127.0.0.1:1',
      npm_config_cache: path.join(clone, 'cache'),
      npm_config_fetch_retries: '0',
    });
    expect(refused.output).toContain('installing dependencies');
  });

  it('answers the hive command before anything was ever started', () => {
    const { code, output } = run('hive.mjs', ['status']);
    expect(code).toBe(3);
    expect(output).toContain('run npm start first');
  });

  it('completes a lockfile for other systems, and finds an incomplete one', () => {
    const file = path.join(clone, 'lock.json');
    const lock = {
      packages: {
        '': {},
        'node_modules/tool': {
          version: '1.2.3',
          dev: true,
          optionalDependencies: {
            '@tool/linux-x64-musl': '1.2.3',
            '@tool/darwin-arm64': '1.2.3',
            '@tool/wasm32-wasi': '1.2.3',
          },
        },
        'node_modules/@tool/darwin-arm64': { version: '1.2.3' },
      },
    };
    writeFileSync(file, JSON.stringify(lock));
    const check = run('complete-lockfile.mjs', ['--check', file]);
    expect(check.code).toBe(1);
    expect(check.output).toContain('@tool/linux-x64-musl@1.2.3, @tool/wasm32-wasi@1.2.3');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(lock);

    expect(run('complete-lockfile.mjs', [file]).code).toBe(0);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      packages: {
        'node_modules/@tool/linux-x64-musl': {
          version: '1.2.3',
          os: ['linux'],
          cpu: ['x64'],
          libc: ['musl'],
          optional: true,
          dev: true,
        },
        'node_modules/@tool/wasm32-wasi': { version: '1.2.3', cpu: ['wasm32'], optional: true },
      },
    });
    expect(run('complete-lockfile.mjs', ['--check', file]).code).toBe(0);
  });

  it('has a complete lockfile', () => {
    expect(
      run('complete-lockfile.mjs', ['--check', path.join(SOURCE, 'package-lock.json')]),
    ).toEqual({
      code: 0,
      output: '',
    });
  });
});
