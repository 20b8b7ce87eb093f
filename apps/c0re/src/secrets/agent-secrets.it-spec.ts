import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { AgentConfig } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { parseAgentConfig } from '../agent-config/agent-config.parser.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import { AgentSecrets } from './agent-secrets.service.js';

let root: string;
let folder: string;
let secrets: AgentSecrets;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'c0re-secrets-'));
  folder = path.join(root, 'secrets', 'agents');
  mkdirSync(path.join(folder, 'ada'), { recursive: true });
  mkdirSync(path.join(folder, 'bob'));
  const settings = new C0reSettings(
    {
      HIVE_HOME: root,
      HIVE_RUNTIME_DIR: root,
      HIVE_DB_DIR: root,
      HIVE_GATEWAY_URL: 'http://127.0.0.1:1',
      HIVE_LOG_LEVEL: 'info',
      HIVE_REV: 'x',
    },
    false,
  );
  secrets = new AgentSecrets(settings);
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const config = (keys: Record<string, unknown>): AgentConfig => parseAgentConfig(keys).config;

describe(verifies('P31', '8.4') + 'secrets of agents', () => {
  it('take the place of secret:NAME in env and MCP servers', () => {
    writeFileSync(path.join(folder, 'ada', 'API_KEY'), 'sk-1\n');
    const resolved = secrets.resolve(
      'ada',
      config({
        env: { KEY: 'secret:API_KEY', PLAIN: 'x' },
        mcp_servers: {
          a: { command: '/a', env: { KEY: 'secret:API_KEY' } },
          b: { url: 'https://b.example', headers: { Authorization: 'secret:API_KEY' } },
        },
      }),
    );
    expect(resolved).toEqual({
      env: { KEY: 'sk-1', PLAIN: 'x' },
      mcp_servers: {
        a: { command: '/a', env: { KEY: 'sk-1' } },
        b: { url: 'https://b.example', headers: { Authorization: 'sk-1' } },
      },
    });
  });

  it('belong to the agent in whose folder they lie', () => {
    writeFileSync(path.join(folder, 'ada', 'API_KEY'), 'sk-1');
    expect(() => secrets.resolve('bob', config({ env: { KEY: 'secret:API_KEY' } }))).toThrow(
      /env\.KEY: secret API_KEY was not granted to bob: put it into .*bob\/API_KEY \(mode 0600\)/,
    );
  });

  it('are all named when several are missing', () => {
    const keys = { env: { A: 'secret:A', B: 'secret:B' } };
    expect(() => secrets.resolve('ada', config(keys))).toThrow(/2 problems.*env\.A.*env\.B/);
  });

  it('are files and nothing else, and never shown in a refusal', () => {
    symlinkSync('/etc/passwd', path.join(folder, 'ada', 'LINK'));
    mkdirSync(path.join(folder, 'ada', 'FOLDER'));
    writeFileSync(path.join(folder, 'ada', 'BIG'), 'x'.repeat(40_000));
    writeFileSync(path.join(folder, 'ada', 'LINES'), 'sk-1\nsk-2\n');
    for (const name of ['LINK', 'FOLDER', 'BIG', 'LINES']) {
      const resolve = () => secrets.resolve('ada', config({ env: { KEY: `secret:${name}` } }));
      expect(resolve).toThrow(new RegExp(`secret ${name} `));
      expect(resolve).not.toThrow(/sk-1|root:/);
    }
  });
});
