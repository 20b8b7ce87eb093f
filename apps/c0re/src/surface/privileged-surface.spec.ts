import { readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { C0RE_ROUTES, type C0reRoute } from '#libs/requests';

import { verifies } from '../../../../test/requirements/verifies.js';
import { renderPrivilegedSurface } from './privileged-surface.js';

const routes = Object.entries<C0reRoute>(C0RE_ROUTES);
const page = path.resolve(import.meta.dirname, '../../../../docs/privileged-surface.md');

describe(verifies('8.1', 'P29') + 'the privileged surface', () => {
  it('stands in docs/privileged-surface.md as it is', () => {
    // Made by `npm run build:server && node dist/apps/c0re/src/surface/write-privileged-surface.js`.
    expect(readFileSync(page, 'utf8')).toBe(renderPrivilegedSurface());
  });

  it('gives the scheduler nothing but the turns of recorded operations, and the gateway only what the manager asks for', () => {
    const of = (peer: string) => routes.filter(([, { peers }]) => peers.includes(peer as never));
    expect(of('scheduler').map(([name]) => name)).toEqual([
      'health',
      'waiting_operations',
      'run_operation',
    ]);
    expect(of('gateway').filter(([name, { manager }]) => name !== 'health' && !manager)).toEqual(
      [],
    );
    const managers = routes.filter(([, { manager }]) => manager);
    expect(managers.filter(([, { peers }]) => String(peers) !== 'gateway')).toEqual([]);
  });

  it('asks for the operator and writes to the audit log wherever something is changed', () => {
    const changing = routes.filter(
      ([name, { method }]) =>
        method === 'POST' && !['check_session', 'run_operation'].includes(name),
    );
    expect(changing.filter(([, route]) => !route.audited)).toEqual([]);
    const free = changing
      .filter(([, route]) => !route.operator && !route.manager)
      .map(([name]) => name);
    expect(free).toEqual(['login', 'logout']);
  });
});
