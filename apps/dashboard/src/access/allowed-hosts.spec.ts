import type { IncomingMessage } from 'node:http';

import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { AllowedHosts } from './allowed-hosts.js';

function passes(
  configured: string,
  headers: { host?: string; origin?: string },
  localAddress = '127.0.0.1',
): boolean {
  const hosts = new AllowedHosts(configured);
  hosts.listensOn(7000);
  try {
    hosts.check({ headers, socket: { localAddress } } as unknown as IncomingMessage);
    return true;
  } catch {
    return false;
  }
}

describe(verifies('8.4') + 'hosts of the dashboard', () => {
  it.each<[host: string, configured: string, localAddress: string, ok: boolean]>([
    ['127.0.0.1:7000', '127.0.0.1', '127.0.0.1', true],
    ['LOCALHOST:7000', '127.0.0.1', '127.0.0.1', true],
    ['[::1]:7000', '::1', '::1', true],
    ['hive.lan:7000', 'hive.lan', '10.0.0.5', true],
    ['hive.lan:7000', '0.0.0.0', '10.0.0.5', false],
    ['10.0.0.5:7000', '0.0.0.0', '10.0.0.5', true],
    ['10.0.0.5:7000', '::', '::ffff:10.0.0.5', true],
    ['[fe80::1]:7000', '::', 'fe80::1', true],
    ['10.0.0.6:7000', '0.0.0.0', '10.0.0.5', false],
    ['10.0.0.5', '0.0.0.0', '10.0.0.5', false],
    ['0.0.0.0:7000', '127.0.0.1', '127.0.0.1', false],
    ['user@127.0.0.1:7000', '127.0.0.1', '127.0.0.1', false],
    ['127.0.0.1:7000, evil:7000', '127.0.0.1', '127.0.0.1', false],
    ['127.0.0.1:70000', '127.0.0.1', '127.0.0.1', false],
  ])('Host %s, configured as %s, reached at %s: %s', (host, configured, localAddress, ok) => {
    expect(passes(configured, { host }, localAddress)).toBe(ok);
  });

  it('takes an origin of ours only, with http and the port', () => {
    const host = '127.0.0.1:7000';
    expect(passes('127.0.0.1', { host, origin: 'http://localhost:7000' })).toBe(true);
    for (const origin of [
      'http://localhost:7001',
      'https://localhost:7000',
      'file://',
      'null',
      '',
    ]) {
      expect(passes('127.0.0.1', { host, origin })).toBe(false);
    }
  });
});
