import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { parseAgentConfig } from '../agent-config/agent-config.parser.js';
import { containerLimits } from './agent-bounds.js';
import { egressHosts } from './egress-hosts.js';

const hostsOf = (config: Record<string, unknown>) => egressHosts(parseAgentConfig(config).config);

describe(verifies('P35') + 'where a container may connect to', () => {
  it.each([
    [{ driver: 'command', command: ['x'] }, []],
    [{ driver: 'command', command: ['x'], network_allow: ['example.com'] }, []],
    [{ driver: 'claude', network: 'none', network_allow: ['example.com'] }, []],
    [
      { driver: 'command', command: ['x'], network: 'model', network_allow: ['example.com'] },
      ['example.com:443', 'example.com:80'],
    ],
    [
      {
        driver: 'command',
        command: ['x'],
        network: 'model',
        network_allow: ['127.0.0.1:9999', '*.example.com:8443', '[::1]:80', 'fd00::1'],
      },
      ['127.0.0.1:9999', '*.example.com:8443', '::1:80', 'fd00::1:443', 'fd00::1:80'],
    ],
  ])('%j', (config, hosts) => {
    expect(hostsOf(config)).toEqual(hosts);
  });

  it('includes the provider of the CLI, on 443 only', () => {
    expect(hostsOf({ driver: 'claude' })).toContain('api.anthropic.com:443');
    expect(hostsOf({ driver: 'claude' }).join()).not.toMatch(/:80|openai/);
  });
});

describe(verifies('4.2') + 'the caps of a container', () => {
  it.each([
    ['2G', 2 * 1024 ** 3],
    ['512M', 512 * 1024 ** 2],
    ['64K', 65_536],
    ['1000', 1000],
  ])('%s', (memory, memoryBytes) => {
    const { limits } = parseAgentConfig({ limits: { memory, cpu: 0.5, pids: 99 } }).config;
    expect(containerLimits(limits)).toEqual({ memoryBytes, cpus: 0.5, pids: 99 });
  });
});
