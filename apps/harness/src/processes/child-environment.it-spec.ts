import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import type { HarnessEnvironment } from '../environment/environment.js';
import { childEnvironment } from './child-environment.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hive-child-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe(verifies('P31', '4.3') + 'environment of a CLI', () => {
  it("holds what it needs, the configuration's, and the hive's; nothing else of the harness", () => {
    const home = path.join(folder, 'home');
    const environment = {
      agent: 'bob',
      role: 'agent',
      gatewayUrl: 'http://127.0.0.1:7001',
      stateDir: '/s',
      sharedDir: '/sh',
      docsDir: '/d',
      configDir: '/c',
      rev: 'r',
      homeDir: home,
    } as HarnessEnvironment;
    const env = childEnvironment({
      environment,
      from: {
        PATH: '/bin',
        LANG: 'C.UTF-8',
        HTTPS_PROXY: 'http://proxy',
        NO_PROXY: 'internal',
        HOME: '/root',
        AWS_SECRET_ACCESS_KEY: 'leak',
        NODE_OPTIONS: '--inspect',
        HIVE_TOKEN_FILE: '/agent/token',
        HIVE_INSTANCE: '3',
        HIVE_WORK_DIR: '/w',
        HIVE_HARNESS_CONFIG: '/cfg',
      },
      mark: 'mark-1',
      runTokenFile: '/run/token',
      defaults: { DISABLE_TELEMETRY: '1', A: 'default' },
      configured: {
        A: 'configured',
        HIVE_AGENT: 'eve',
        LD_PRELOAD: '/evil.so',
        NODE_OPTIONS: '-r evil',
        PATH: '/evil',
      },
      turnId: 't7',
    });
    expect(env).toEqual({
      PATH: `/bin:${path.dirname(process.execPath)}`,
      LANG: 'C.UTF-8',
      HTTPS_PROXY: 'http://proxy',
      NO_PROXY: 'internal,127.0.0.1',
      no_proxy: 'internal,127.0.0.1',
      HOME: home,
      CLAUDE_CONFIG_DIR: path.join(home, '.claude'),
      TMPDIR: path.join(home, 'tmp'),
      DISABLE_TELEMETRY: '1',
      A: 'configured',
      HIVE_AGENT: 'bob',
      HIVE_ROLE: 'agent',
      HIVE_GATEWAY_URL: 'http://127.0.0.1:7001',
      HIVE_TOKEN_FILE: '/run/token',
      HIVE_STATE_DIR: '/s',
      HIVE_SHARED_DIR: '/sh',
      HIVE_DOCS_DIR: '/d',
      HIVE_CONFIG_DIR: '/c',
      HIVE_REV: 'r',
      HIVE_CLI_MARK: 'mark-1',
      HIVE_TURN_ID: 't7',
    });
    expect(statSync(env['TMPDIR'] ?? '').mode & 0o777).toBe(0o700);
  });
});
