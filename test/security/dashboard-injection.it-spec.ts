import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { C0RE_ROUTES, type C0reRoute } from '#libs/requests';

import { verifies } from '../requirements/verifies.js';
import { startHive, type RunningHive } from '../support/hive.js';
import { runInside } from './injection.js';

// Only a hive that was started as root separates its services; a skipped test would count as failed.
const describeAsRoot: (title: string, tests: () => void) => void =
  process.geteuid?.() === 0 ? describe : () => {};

/** What the attacker's code has at hand, and the few words that it is written in below. */
const TOOLS = `
const fs = process.getBuiltinModule('node:fs');
const http = process.getBuiltinModule('node:http');
const net = process.getBuiltinModule('node:net');
const { execFileSync } = process.getBuiltinModule('node:child_process');
const attempt = (work) => { try { return 'DONE ' + String(work()).slice(0, 60); } catch (error) { return error.code ?? error.message; } };
const reach = (socketPath) => new Promise((resolve) => {
  const socket = net.connect(socketPath, () => { socket.destroy(); resolve('CONNECTED'); });
  socket.on('error', (error) => resolve(error.code));
});
const ask = (socketPath, method, path, headers = {}, body) => new Promise((resolve, reject) => {
  const text = body === undefined ? '' : JSON.stringify(body);
  const request = http.request({ socketPath, method, path, agent: false, headers: { ...headers, ...(text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {}) } }, (answer) => {
    let said = '';
    answer.on('data', (chunk) => { said += chunk; });
    answer.on('end', () => { let code = 'none'; try { code = JSON.parse(said).error?.code ?? 'none'; } catch {} resolve({ status: answer.statusCode, code, said: said.slice(0, 200) }); });
  });
  request.on('error', reject);
  request.end(text);
});
`;

let hive: RunningHive;
const inside = <T>(source: string): Promise<T> =>
  runInside<T>(hive.servicePid('dashboard'), TOOLS + source);
const at = (...names: string[]) => path.join(hive.home, ...names);
const sockets = () => hive.file()?.sockets ?? {};

const NO_CREDENTIALS: Record<string, string>[] = [
  {},
  { authorization: 'Bearer operator' },
  { 'x-hive-session': 'x', 'x-hive-cookie': 'y' },
];

interface Answer {
  status: number;
  code: string;
  said: string;
}
const askC0re = (
  method: string,
  route: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<Answer> =>
  inside(
    `return ask(${JSON.stringify(sockets()['c0re-dashboard'])}, ${JSON.stringify(method)}, ${JSON.stringify(route)}, ${JSON.stringify(headers)}, ${JSON.stringify(body) ?? 'undefined'});`,
  );

describeAsRoot(verifies('8.1', '8.3', 'P29') + "an attacker's code in the dashboard", () => {
  beforeAll(async () => {
    hive = await startHive();
    const secrets = at('secrets', 'agents', 'ada');
    mkdirSync(secrets, { recursive: true, mode: 0o700 });
    writeFileSync(path.join(secrets, 'KEY'), 'hidden', { mode: 0o600 });
    chownSync(secrets, 0, 0);
    await hive.api('POST', '/api/agents?wait=1', {
      name: 'ada',
      config: { driver: 'command', command: ['true'], env: { KEY: 'secret:KEY' } },
    });
  });
  afterAll(() => hive?.stop());

  it('runs as a user without any power, for good', async () => {
    const { pid, status, ids } = await inside<{ pid: number; status: string; ids: string[] }>(
      `return { pid: process.pid, status: fs.readFileSync('/proc/self/status', 'utf8'),
        ids: [attempt(() => process.setuid(0)), attempt(() => process.setgid(0)), attempt(() => process.setgroups([0])),
          attempt(() => execFileSync('su', ['-c', 'id'], { stdio: 'pipe', input: '' }))] };`,
    );
    expect(pid).toBe(hive.servicePid('dashboard'));
    for (const field of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      expect(status).toMatch(new RegExp(`^${field}:\\s+0000000000000000$`, 'm'));
    }
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).not.toMatch(/^[UG]id:.*\b0\b/m);
    expect(ids.filter((answer) => answer.startsWith('DONE'))).toEqual([]);
  });

  it('reads neither the machine’s secrets nor the hive’s nor an agent’s', async () => {
    const c0re = hive.servicePid('c0re');
    const files = [
      '/etc/shadow',
      at('secrets', 'operator-token'),
      at('secrets', 'agents', 'ada', 'KEY'),
      at('secrets'),
      at('agents', 'ada', 'run', 'token'),
      at('agents', 'ada', 'harness.json'),
      at('agents', 'ada', 'state'),
      at('agents', 'ada', 'home'),
      at('agents', 'ada', 'config'),
      at('applied', 'ada', 'agent.yaml'),
      at('db', 'c0re', 'c0re.db'),
      at('db', 'broker', 'threads.db'),
      at('redis'),
      at('logs', 'agents', 'ada.log'),
      `/proc/${c0re}/environ`,
      `/proc/${c0re}/mem`,
      `/proc/${c0re}/root/etc/shadow`,
      `/proc/${c0re}/fd/0`,
    ];
    const answers = await inside<Record<string, string>>(
      `return Object.fromEntries(${JSON.stringify(files)}.map((file) =>
        [file, attempt(() => fs.statSync(file).isDirectory() ? fs.readdirSync(file) : fs.readFileSync(file))]));`,
    );
    const open = Object.entries(answers).filter(([, answer]) => !/^(EACCES|EPERM)$/.test(answer));
    expect(open).toEqual([]);
    const environment = await inside<string>('return JSON.stringify(process.env);');
    expect(environment).not.toContain(hive.operatorToken);
    expect(environment).not.toContain('hidden');
  });

  it('changes nothing of the hive and ends no process of it', async () => {
    const writes = ['agents', 'applied', 'db', 'secrets', 'run', ''].map((name) => at(name, 'x'));
    const pids = ['c0re', 'broker', 'gateway', 'scheduler'].map((name) => hive.servicePid(name));
    const answers = await inside<string[]>(
      `return [...${JSON.stringify(writes)}.map((file) => attempt(() => fs.writeFileSync(file, ''))),
        ...${JSON.stringify(pids)}.map((pid) => attempt(() => process.kill(pid, 'SIGKILL')))];`,
    );
    expect(answers.filter((answer) => !/^(EACCES|EPERM)$/.test(answer))).toEqual([]);
  });

  it('reaches no socket but its own two and that of Redis', async () => {
    const entries = Object.entries(sockets());
    const all = [...entries, ['agent', at('agents', 'ada', 'run', 'gateway.sock')]];
    const answers = await inside<[string, string][]>(
      `return Promise.all(${JSON.stringify(all)}.map(async ([name, file]) => [name, await reach(file)]));`,
    );
    const reached = answers.flatMap(([name, answer]) => (answer === 'EACCES' ? [] : [name]));
    expect(reached.toSorted()).toEqual(['broker-dashboard', 'c0re-dashboard', 'redis']);
  });

  it('sees that requests outside the dashboard’s surface do not exist', async () => {
    const foreign = Object.values<C0reRoute>(C0RE_ROUTES).filter(
      ({ peers }) => !peers.includes('dashboard'),
    );
    const asked = [
      ...foreign.map(({ method, path: route }) => [method, route.replace(':name', 'ada')] as const),
      ['POST', '/v1/exec'] as const,
      ['GET', '/etc/shadow'] as const,
      ['GET', '/v1/../../etc/shadow'] as const,
      ['GET', '//etc/shadow'] as const,
    ];
    for (const [method, route] of asked) {
      const { status, code, said } = await askC0re(method, route, operator());
      expect([route, status, code]).toEqual([route, 404, 'unknown_method']);
      expect(said).not.toContain('root:');
    }
  });

  it('what needs the operator is refused without the operator’s credential', async () => {
    const needing = Object.values<C0reRoute>(C0RE_ROUTES).filter(
      ({ peers, operator: needs }) => needs && peers.includes('dashboard'),
    );
    expect(needing.length).toBeGreaterThan(10);
    for (const { method, path: route } of needing) {
      const url = route.replace(':name', 'ada').replace(':id', 'a1');
      for (const headers of NO_CREDENTIALS) {
        const { status, code } = await askC0re(
          method,
          url,
          headers,
          method === 'POST' ? {} : undefined,
        );
        expect([url, status, code]).toEqual([url, 401, 'operator_required']);
      }
    }
  });

  it('state files are no way out, even with the credential', async () => {
    const paths = [
      '../../../../etc/shadow',
      '/etc/shadow',
      '../run/token',
      '/shared/../db/c0re/c0re.db',
    ];
    for (const file of paths) {
      const query = new URLSearchParams({ agent: 'ada', path: file }).toString();
      const { code, said } = await askC0re('GET', `/v1/state-file?${query}`, operator());
      expect([file, code]).toEqual([file, 'invalid_request']);
      expect(said).not.toContain('root:');
    }
  });

  it('the hive goes on', async () => {
    expect(readFileSync('/etc/shadow', 'utf8')).not.toBe('');
    expect(await hive.api('GET', '/api/agents/ada')).toMatchObject({ agent: { name: 'ada' } });
  });
});

function operator(): Record<string, string> {
  return { authorization: `Bearer ${hive.operatorToken}` };
}
