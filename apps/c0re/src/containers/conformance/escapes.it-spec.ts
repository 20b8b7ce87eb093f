import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ListenOptions, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { describeAsRoot } from '../../testing/describe-as-root.js';
import { DriverBench, REAL_DRIVERS } from '../../testing/driver-bench.js';
import { ESCAPE_COUNT, ESCAPES, type TARGETS } from './escape-attempts.js';
import { SECURITY_PAGE, withEscapeTable } from './escape-table.js';

/** Written for the numbers of its system calls; a handful of attempts takes seconds on a busy machine. */
const MINUTES = 180_000;
const IDLE = 'while :; do sleep 1000 & wait $!; done';

describe(verifies('8.3') + 'docs/security.md', () => {
  it('has at least 40 attempts', () => {
    expect(ESCAPE_COUNT).toBeGreaterThanOrEqual(40);
  });

  it('says what the list says (write it again with write-security-page.js)', () => {
    const page = readFileSync(SECURITY_PAGE, 'utf8');
    expect(page).toBe(withEscapeTable(page));
  });
});

describeAsRoot('ways out, tried from inside', () => {
  describe.each(REAL_DRIVERS)('of %s', { timeout: MINUTES }, (driver) => {
    let bench: DriverBench;
    let targets: Record<(typeof TARGETS)[number], string | number>;
    const servers: Server[] = [];
    const children: ChildProcess[] = [];

    beforeAll(async () => {
      bench = await DriverBench.open(driver);
      const word = `bench-${process.pid}`;
      const shm = spawn('perl', [
        '-e',
        '$i = shmget($ARGV[0], 1, 0666 | 01000); $| = 1; print "made\n"; sleep 1000; shmctl($i, 0, 0)',
        String(0x6869_0000 + (process.pid & 0xffff)),
        `host-${word}`,
      ]);
      children.push(shm);
      await new Promise((resolve) => {
        shm.stdout.once('data', resolve);
      });
      const bob = await bench.run('bob', `: bob-${word}; echo up > up; ${IDLE}`);
      await bench.note(bob, 'up');
      const runtime = path.join(bench.root, 'run');
      mkdirSync(runtime, { mode: 0o711 });
      for (const name of [
        'c0re-admin/c0re-admin',
        'broker-gateway/broker-gateway',
        'redis/redis',
      ]) {
        mkdirSync(path.dirname(path.join(runtime, name)), { mode: 0o750 });
        await listen(servers, { path: path.join(runtime, `${name}.sock`) });
      }
      await listen(servers, { path: path.join(bob.paths.run, 'gateway.sock') });
      const abstract = `hyperhive-${word}-${driver}`;
      await listen(servers, { path: `\0${abstract}` });
      const tcp = await listen(servers, { port: 0, host: '0.0.0.0' });
      const home = bench.settings.home.root;
      mkdirSync(path.join(home, 'db/c0re'), { recursive: true, mode: 0o700 });
      writeFileSync(path.join(home, 'db/c0re/c0re.db'), 'rows', { mode: 0o600 });
      writeFileSync(path.join(home, 'secrets/operator-token'), 'token', { mode: 0o600 });
      const shmFile = `/dev/shm/${word}`;
      writeFileSync(shmFile, 'public');
      const publicFile = path.join(bench.root, 'public');
      writeFileSync(publicFile, 'public');
      targets = {
        HOST_PID: shm.pid as number,
        HOST_WORD: `host-${word}`,
        BOB_PID: (await bench.driver.inspect(bob.owner, bob.running)).at(-1) ?? 0,
        BOB_WORD: `bob-${word}`,
        BOB_ROOT: bob.paths.root,
        HIVE_ROOT: home,
        RUNTIME: runtime,
        TCP_PORT: (tcp.address() as { port: number }).port,
        ABSTRACT: abstract,
        SHM_KEY: 0x6869_0000 + (process.pid & 0xffff),
        PUBLIC_FILE: publicFile,
        SHM_FILE: shmFile,
        OUTER_ADDRESS: outerAddress(),
      };
    }, MINUTES);
    afterAll(async () => {
      for (const server of servers) server.close();
      for (const child of children) child.kill('SIGTERM');
      rmSync(String(targets.SHM_FILE), { force: true });
      await bench.close();
    }, MINUTES);

    it(verifies('4.2', '8.3') + 'only what docs/security.md says gets through', async () => {
      const attempts = ESCAPES.flatMap((group) => group.attempts);
      const exports = Object.entries(targets).map(([name, value]) => `export ${name}='${value}'`);
      const tries = attempts.map(({ script }, index) => {
        const quoted = `'${script.replaceAll("'", String.raw`'\''`)}'`;
        return `timeout 20 sh -c ${quoted} >/dev/null 2>&1 && echo ${index} >> through`;
      });
      const ada = await bench.agent(
        'ada',
        '. "$HIVE_STATE_DIR/tries"; echo end >> through; exit 0',
      );
      const file = path.join(ada.paths.state, 'tries');
      writeFileSync(file, [...exports, ...tries, ''].join('\n'), { mode: 0o644 });
      await bench.start(ada);
      await ada.running?.exited;
      const through = (bench.noted(ada, 'through') ?? '').split('\n');
      expect(through.at(-1)).toBe('end');
      const got = through.slice(0, -1).map((index) => attempts[Number(index)]?.what);
      const open = attempts.filter(
        ({ isOpenInProcess }) => driver === 'process' && isOpenInProcess === true,
      );
      expect(got).toEqual(open.map(({ what }) => what));
      expect(existsSync('/usr/bin/escaped')).toBe(false);
    });
  });
});

/** An address of this machine that is not loopback; loopback where there is none. */
function outerAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outer = all.find(({ family, internal }) => family === 'IPv4' && !internal);
  return outer?.address ?? '127.0.0.1';
}

/** A server that takes connections and closes them. */
function listen(servers: Server[], at: ListenOptions): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.end());
    servers.push(server);
    server.listen(at, () => resolve(server));
  });
}
