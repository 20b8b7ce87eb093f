import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { C0reHealth } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reFixture, isRoot, UID_BASE } from '../testing/c0re.fixture.js';
import { describeAsRoot } from '../testing/describe-as-root.js';

const AGENT_1 = UID_BASE + 65_536 + 1000;
const AGENT_2 = AGENT_1 + 65_536;

/** The machine may be busy. */
const PATIENT = { timeout: 20_000 };

let hive: C0reFixture;

beforeEach(async () => {
  hive = await C0reFixture.started();
});
afterEach(async () => {
  await hive.remove();
});

/** `read`, or why the second agent's user could not read the file. */
function asBob(...argv: string[]): string | undefined {
  const user = String(AGENT_2);
  try {
    execFileSync('setpriv', ['--reuid', user, '--regid', user, '--clear-groups', ...argv], {
      stdio: 'pipe',
    });
    return 'read';
  } catch (error) {
    return String((error as { stderr: Buffer }).stderr)
      .trim()
      .split(': ')
      .at(-1);
  }
}

describeAsRoot(verifies('P29', '8.3') + 'users of agents, started as root', () => {
  it('gives folders and files to the agent alone', async () => {
    await hive.spawn('ada');
    const owner = (...rest: string[]) => {
      const { uid, gid, mode } = lstatSync(hive.agentPath('ada', ...rest));
      return [uid, gid, (mode & 0o7777).toString(8)];
    };
    expect(owner()).toEqual([0, 0, '711']);
    expect(owner('state')).toEqual([AGENT_1, AGENT_1, '700']);
    expect(owner('home')).toEqual([AGENT_1, AGENT_1, '700']);
    expect(owner('home', '.hive')).toEqual([AGENT_1, AGENT_1, '700']);
    expect(owner('config')).toEqual([UID_BASE + 6, UID_BASE + 6, '700']);
    expect(owner('run')).toEqual([UID_BASE + 2, AGENT_1, '2750']);
    expect(owner('run', 'token')).toEqual([AGENT_1, AGENT_1, '400']);
    expect(owner('harness.json')).toEqual([AGENT_1, AGENT_1, '400']);
    const applied = lstatSync(path.join(hive.home, 'applied', 'ada'));
    expect([applied.uid, applied.gid, applied.mode & 0o7777]).toEqual([0, AGENT_1, 0o750]);
    expect(lstatSync(path.join(hive.home, 'shared')).mode & 0o7777).toBe(0o1777);
  });

  it('runs the harness without any privilege', async () => {
    await hive.spawn('ada');
    await expect.poll(() => hive.noted('ada', 'ready.json'), PATIENT).toBeGreaterThan(0);
    const status = hive.noted('ada', 'status.json') as string;
    expect(status).toMatch(new RegExp(`^Uid:\\s+${AGENT_1}\\s+${AGENT_1}\\s+${AGENT_1}\\s`, 'm'));
    expect(status).toMatch(/^CapEff:\s+0+$/m);
    expect(status).toMatch(/^CapBnd:\s+0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Groups:\s*$/m);
  });

  it('never follows what the agent put into its own folders', async () => {
    await hive.spawn('ada');
    const victim = path.join(hive.root, 'victim');
    mkdirSync(victim, { mode: 0o755 });
    rmSync(hive.agentPath('ada', 'home', '.hive'), { recursive: true });
    symlinkSync(victim, hive.agentPath('ada', 'home', '.hive'));
    symlinkSync('/etc/shadow', hive.agentPath('ada', 'state', 'token'));
    await hive.verb('ada', 'restart');
    const { uid, mode } = lstatSync(victim);
    expect([uid, mode & 0o777]).toEqual([0, 0o755]);
    expect(lstatSync('/etc/shadow').uid).toBe(0);
  });

  it('keeps tokens, databases and the operator token from other agents', async () => {
    await hive.spawn('ada');
    await hive.spawn('bob');
    expect(asBob('cat', hive.agentPath('bob', 'run', 'token'))).toBe('read');
    for (const file of [
      hive.agentPath('ada', 'run', 'token'),
      hive.agentPath('ada', 'harness.json'),
      hive.agentPath('ada', 'state', 'env.json'),
      path.join(hive.home, 'secrets', 'operator-token'),
      path.join(hive.home, 'db', 'c0re', 'c0re.db'),
      path.join(hive.home, 'applied', 'ada', 'agent.yaml'),
      path.join(hive.home, 'logs', 'agents', 'ada.log'),
    ]) {
      expect(asBob('cat', file)).toBe('Permission denied');
    }
  });
});

describe(verifies('P29') + 'health', () => {
  it('says which protections are off', async () => {
    const { protections_off: off } = await hive.getJson<C0reHealth>('admin', '/v1/health');
    const shared =
      "agents run as the hive's own user: they can read each other's tokens and the databases";
    expect(off).toContain('the process driver does not limit the network');
    expect(off?.includes(shared)).toBe(!isRoot);
  });
});
