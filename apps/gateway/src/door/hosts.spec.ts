import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { OwnHosts } from './hosts.js';

describe(`${verifies('8.3', 'P36')}which Host and Origin headers are the gateway's own`, () => {
  const local = new OwnHosts('127.0.0.1');

  it.each(['localhost', 'LocalHost:7001', '127.0.0.1', '127.0.0.1:7001', '[::1]:7001', '[::1]'])(
    'takes the Host %s',
    (host) => expect(local.isOwnHost(host)).toBe(true),
  );

  it.each([
    undefined,
    '',
    'evil.example',
    'evil.example:7001',
    'localhost.evil.example',
    'localhost:7001.evil.example',
    '127.0.0.1.evil.example',
    'user@localhost',
    'localhost@evil.example',
    '192.168.1.5:7001',
    '[::2]',
    'localhost:port',
  ])('refuses the Host %s', (host) => expect(local.isOwnHost(host)).toBe(false));

  it.each([undefined, 'http://localhost:7000', 'https://127.0.0.1', 'http://[::1]:7001'])(
    'takes the Origin %s',
    (origin) => expect(local.isOwnOrigin(origin)).toBe(true),
  );

  it.each([
    'null',
    '',
    'https://evil.example',
    'http://localhost.evil.example',
    'http://localhost:7000/path',
    'file://localhost',
    'localhost:7001',
  ])('refuses the Origin %s', (origin) => expect(local.isOwnOrigin(origin)).toBe(false));

  it('takes the name that the operator configured', () => {
    const named = new OwnHosts('Hive.internal');
    expect(named.isOwnHost('hive.internal:7001')).toBe(true);
    expect(named.isOwnHost('other.internal:7001')).toBe(false);
    expect(new OwnHosts('fd00::5').isOwnHost('[fd00::5]:7001')).toBe(true);
  });

  it('takes literal addresses, but no names, when it listens on all of them', () => {
    const open = new OwnHosts('0.0.0.0');
    expect(open.isOwnHost('192.168.1.5:7001')).toBe(true);
    expect(open.isOwnHost('[fd00::5]:7001')).toBe(true);
    expect(open.isOwnHost('evil.example:7001')).toBe(false);
  });
});
