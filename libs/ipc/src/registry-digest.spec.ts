import { describe, expect, it } from 'vitest';

import type { RegistryAgent } from '#libs/protocol';

import { verifies } from '../../../test/requirements/verifies.js';
import { registryDigest } from './registry-digest.js';

const agent = (agent_id: string, change: Partial<RegistryAgent> = {}): RegistryAgent => ({
  agent_id,
  name: `a${agent_id}`,
  role: 'agent',
  driver: 'claude',
  model: null,
  container: 'process',
  token_hash: 'ab'.repeat(32),
  state: 'running',
  reason: '',
  instance: 1,
  allowed_recipients: [],
  quiet_window_ms: 250,
  inbox_limit: 1000,
  sends_per_minute: 60,
  send_burst: 20,
  reminders_pending: 50,
  reminders_per_hour: 60,
  reminder_burst: 10,
  run_dir: '/hive/agents/a/run',
  deployed_sha: null,
  ...change,
});

describe(verifies('P26') + 'registryDigest', () => {
  it('does not depend on the order of the entries', () => {
    const entries = [agent('2'), agent('10'), agent('1')];
    expect(registryDigest(entries)).toBe(registryDigest(entries.toReversed()));
  });

  it('does not count destroyed agents', () => {
    expect(registryDigest([agent('1'), agent('2', { state: 'destroyed' })])).toBe(
      registryDigest([agent('1')]),
    );
  });

  it('sees every changed field', () => {
    const whole = registryDigest([agent('1')]);
    const changes: Partial<RegistryAgent>[] = [
      { name: 'b' },
      { role: 'manager' },
      { driver: 'command' },
      { model: 'x' },
      { container: null },
      { token_hash: 'cd'.repeat(32) },
      { state: 'stopped' },
      { reason: 'x' },
      { instance: 2 },
      { allowed_recipients: ['b'] },
      { quiet_window_ms: 0 },
      { inbox_limit: 1 },
      { sends_per_minute: 1 },
      { send_burst: 1 },
      { reminders_pending: 1 },
      { reminders_per_hour: 1 },
      { reminder_burst: 1 },
      { run_dir: '/x' },
      { deployed_sha: 'f' },
    ];
    for (const change of changes) expect(registryDigest([agent('1', change)])).not.toBe(whole);
  });
});
