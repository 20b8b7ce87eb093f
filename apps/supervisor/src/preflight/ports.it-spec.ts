import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Address } from '../settings/supervisor.settings.js';
import { checkPorts } from './ports.check.js';

describe('the ports of a hive', () => {
  let other: Server;
  let dashboard: Address;
  let gateway: Address;

  beforeEach(async () => {
    other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    dashboard = { setting: 'HIVE_DASHBOARD_PORT', host: '127.0.0.1', port };
    gateway = { setting: 'HIVE_GATEWAY_PORT', host: '127.0.0.1', port };
  });
  afterEach(() => {
    other.close();
  });

  it('are free when nobody listens', async () => {
    other.close();
    await once(other, 'close');
    await expect(checkPorts([dashboard])).resolves.toBeUndefined();
  });

  it('are refused together, each with another free port', async () => {
    const refusal = await checkPorts([dashboard, gateway]).catch((error: Error) => error.message);
    const [first = '', second = ''] = String(refusal).split('\n');
    expect(first).toMatch(new RegExp(`port ${dashboard.port} .* --dashboard-port (\\d+) `));
    expect(second).toMatch(new RegExp(`port ${gateway.port} .* --gateway-port (\\d+) `));
    const suggested = [first, second].map((line) => /-port (\d+)/.exec(line)?.[1]);
    expect(suggested[0]).not.toBe(suggested[1]);
  });

  it('are refused on an address that this machine does not have', async () => {
    await expect(checkPorts([{ ...dashboard, host: '192.0.2.1' }])).rejects.toThrow(
      'HIVE_DASHBOARD_HOST=192.0.2.1 is not an address of this machine (EADDRNOTAVAIL)',
    );
  });
});
