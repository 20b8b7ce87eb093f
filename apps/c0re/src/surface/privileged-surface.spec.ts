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

  it('gives gateway and scheduler nothing but health', () => {
    for (const peer of ['gateway', 'scheduler'] as const) {
      const names = routes.filter(([, route]) => route.peers.includes(peer)).map(([name]) => name);
      expect(names).toEqual(['health']);
    }
  });

  it('asks for the operator and writes to the audit log wherever something is changed', () => {
    const changing = routes.filter(
      ([name, { method }]) => method === 'POST' && name !== 'check_session',
    );
    expect(changing.filter(([, route]) => !route.audited)).toEqual([]);
    const free = changing.filter(([, route]) => !route.operator).map(([name]) => name);
    expect(free).toEqual(['login', 'logout']);
  });
});
