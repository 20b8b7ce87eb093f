import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { readJournal } from '../../journal/journal.reader.js';
import { isRoot } from '../../testing/c0re.fixture.js';
import { BOUNDS, DriverBench, PATIENT, REAL_DRIVERS } from '../../testing/driver-bench.js';

/** Keeps the program alive and lets it hear SIGTERM at once. */
const IDLE = 'while :; do sleep 1000 & wait $!; done';

describe.each(REAL_DRIVERS)('the container driver %s', { timeout: 120_000 }, (name) => {
  let bench: DriverBench;
  const isEnclosed = name !== 'process';
  beforeEach(async () => {
    bench = await DriverBench.open(name);
  }, 60_000);
  afterEach(async () => {
    await bench?.close();
  }, 60_000);

  it(verifies('4.3') + 'shows the agent its paths, and lets it write where it may', async () => {
    const ada = await bench.agent(
      'ada',
      `{ pwd; printf '%s\\n' "$HIVE_STATE_DIR" "$HIVE_SHARED_DIR" "$HIVE_DOCS_DIR" "$HIVE_CONFIG_DIR" "$HIVE_TOKEN_FILE" "$HOME"
         cat "$HIVE_TOKEN_FILE"; echo; cat "$HIVE_DOCS_DIR/guide.md"; echo; cat "$HIVE_CONFIG_DIR/agent.yaml"
         cat ${bench.tools}/tool; echo; grep -c secret-of-ada "$HIVE_HARNESS_CONFIG"
         touch "$HIVE_SHARED_DIR/mine" "$HOME/mine" "$HIVE_STATE_DIR/mine" && echo wrote
         touch "$HIVE_DOCS_DIR/no" "$HIVE_CONFIG_DIR/no" "\${HIVE_TOKEN_FILE%/*}/no" "\${HOME%/*}/no" "$HIVE_HARNESS_CONFIG.no" 2>/dev/null && echo 'wrote too much'
       } > seen 2>&1; echo done > ready; ${IDLE}`,
    );
    await bench.start(ada);
    await bench.note(ada, 'ready');
    const paths = isEnclosed
      ? ['/agents/ada/state', '/shared', '/docs', '/config', '/run/hive/token', '/agents/ada/home']
      : [
          ada.paths.state,
          bench.settings.home.shared,
          bench.settings.home.docs,
          ada.paths.applied,
          ada.paths.token,
          ada.paths.home,
        ];
    const [state] = paths;
    const rest = ['token-of-ada', 'the guide', 'role: agent', 'a tool', '1', 'wrote'];
    const seen = (await bench.note(ada, 'seen')).split('\n');
    // Run by a user, the process driver has nothing that keeps an agent from the hive's own files.
    const more = isEnclosed || isRoot ? [] : ['wrote too much'];
    expect(seen).toEqual([state, ...paths, ...rest, ...more]);
    for (const folder of [ada.paths.state, ada.paths.home, bench.settings.home.shared]) {
      expect(readdirSync(folder)).toContain('mine');
    }
  });

  it(verifies('8.4') + 'gives it its environment only, none of it on a command line', async () => {
    const ada = await bench.agent('ada', `env > seen; ${IDLE}`);
    ada.program = { ...ada.program, env: { ...ada.program.env, HIVE_PROOF: 'not-to-be-seen' } };
    const running = await bench.start(ada);
    const seen = (await bench.note(ada, 'seen')).split('\n').map((line) => line.split('=')[0]);
    expect(seen).toEqual(expect.arrayContaining(['HIVE_AGENT', 'HIVE_PROOF', 'PATH', 'HOME']));
    for (const foreign of ['HIVE_DB_DIR', 'HIVE_OPERATOR_TOKEN', 'VITEST', 'HIVE_UID_BASE']) {
      expect(seen).not.toContain(foreign);
    }
    const pids = await bench.driver.inspect(ada.owner, running);
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      expect(line).not.toMatch(/not-to-be-seen|token-of-ada|secret-of-ada/);
    }
  });

  it(verifies('4.2') + 'tells how the program ended', async () => {
    const ada = await bench.run('ada', 'exit 7');
    expect(await ada.running?.exited).toEqual({ code: 7, signal: null });
    await bench.driver.stop(ada.owner, ada.running, BOUNDS);
    expect(await bench.driver.inspect(ada.owner)).toEqual([]);
  });

  it(verifies('4.2') + 'asks the program first, and leaves it the time', async () => {
    const ada = await bench.run(
      'ada',
      `trap 'sleep 0.2; echo bye > bye; exit 0' TERM; echo up > up; ${IDLE}`,
    );
    await bench.note(ada, 'up');
    await bench.driver.stop(ada.owner, ada.running, BOUNDS);
    expect(bench.noted(ada, 'bye')).toBe('bye');
    expect(await bench.driver.inspect(ada.owner)).toEqual([]);
  });

  it(verifies('4.2') + 'ends what does not want to end, and leaves no group behind', async () => {
    // Run by a user, the process driver does not find what cleared its environment, and says so.
    const bare = isEnclosed || isRoot ? 'env -i' : '';
    const ada = await bench.run(
      'ada',
      `trap '' TERM; (setsid sh -c 'trap "" TERM; while :; do sleep 1; done' &)
       (${bare} /usr/bin/setsid /bin/sleep 1000 &); echo up > up; while :; do sleep 1; done`,
    );
    await bench.note(ada, 'up');
    await expect
      .poll(async () => (await bench.driver.inspect(ada.owner, ada.running)).length, PATIENT)
      .toBeGreaterThan(4);
    await bench.driver.stop(ada.owner, ada.running, { ...BOUNDS, termMs: 200 });
    expect(await bench.driver.inspect(ada.owner, ada.running)).toEqual([]);
    expect(groupsOf(bench)).toEqual([]);
    expect(await bench.driver.strays()).toEqual([]);
  });

  it(verifies('4.1') + 'takes every step twice', async () => {
    const ada = await bench.agent('ada', `echo up >> up; ${IDLE}`);
    await bench.driver.create(ada.owner);
    await bench.driver.stop(ada.owner, undefined, BOUNDS);
    for (const runs of ['up', 'up\nup']) {
      await bench.start(ada);
      await expect.poll(() => bench.noted(ada, 'up'), PATIENT).toBe(runs);
      await bench.driver.stop(ada.owner, ada.running, BOUNDS);
      await bench.driver.stop(ada.owner, ada.running, BOUNDS);
    }
    await bench.driver.destroy(ada.owner);
    await bench.driver.destroy(ada.owner);
    expect(existsSync(path.join(bench.settings.home.containers, String(ada.owner.agentId)))).toBe(
      false,
    );
    expect(bench.noted(ada, 'up')).toBe('up\nup');
  });

  it(verifies('7.4') + 'writes what the program says to its journal', async () => {
    const ada = await bench.run('ada', `echo out; echo err >&2; echo up > up; ${IDLE}`);
    await bench.note(ada, 'up');
    const lines = () => readJournal(ada.program.logFile, 50);
    await expect.poll(lines, PATIENT).toEqual(expect.arrayContaining(['out', 'err']));
    await bench.driver.stop(ada.owner, ada.running, BOUNDS);
    expect(lines().filter((line) => !/^(out|err)$/.test(line))).toEqual([]);
  });

  it(verifies('P28') + 'finds the container again by its handle, and by nothing else', async () => {
    const ada = await bench.run('ada', `trap 'echo bye > bye; exit 0' TERM; echo up > up; ${IDLE}`);
    await bench.note(ada, 'up');
    const handle: unknown = JSON.parse(JSON.stringify(ada.running?.handle));
    const later = await bench.newDriver();
    for (const wrong of [null, {}, { ...(handle as object), startTicks: 1 }]) {
      expect(later.adopt(ada.owner, wrong)).toBeUndefined();
    }
    expect(later.adopt({ ...ada.owner, agentId: 99 }, handle)).toBeUndefined();
    const adopted = later.adopt(ada.owner, handle);
    expect(adopted?.pid).toBe(ada.running?.pid);
    await later.stop(ada.owner, adopted, BOUNDS);
    await adopted?.exited;
    expect(bench.noted(ada, 'bye')).toBe('bye');
    expect(later.adopt(ada.owner, handle)).toBeUndefined();
  });

  it(verifies('P28') + 'knows a container of which nobody has a record', async () => {
    const ada = await bench.run('ada', `echo up > up; ${IDLE}`);
    await bench.note(ada, 'up');
    const later = await bench.newDriver();
    expect(await later.strays()).toEqual([ada.owner.agentId]);
    await later.stop(ada.owner, undefined, BOUNDS);
    expect(await later.strays()).toEqual([]);
    expect(await ada.running?.exited).toBeDefined();
  });

  it(verifies('8.3') + "keeps another agent's files, token and socket out of reach", async () => {
    const bob = await bench.agent('bob', IDLE);
    writeFileSync(path.join(bob.paths.state, 'diary'), 'private');
    const targets = [
      path.join(bob.paths.state, 'diary'),
      bob.paths.token,
      bob.paths.harnessConfig,
      path.join(bob.paths.applied, 'agent.yaml'),
      '/agents/bob/state/diary',
      '/agents/bob/harness.json',
    ];
    const ada = await bench.run(
      'ada',
      `for file in ${targets.join(' ')}; do cat "$file" >> got 2>/dev/null; done
       ls ${bob.paths.home} ${bob.paths.run} >> got 2>/dev/null; echo end >> got; ${IDLE}`,
    );
    const got = await bench.note(ada, 'got');
    const isSaid = /read each other's tokens/.test(bench.driver.protectionsOff().join());
    expect(got === 'end').toBe(!isSaid);
    expect(isSaid).toBe(!isEnclosed && !isRoot);
  });

  it.each([
    ['none', 'no'],
    ['model', 'no'],
    ['full', 'yes'],
  ])(
    verifies('P35') + "with network %s: the host's loopback is reached: %s",
    async (network, isReached) => {
      const server = createServer((socket) => socket.end());
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      const { port } = server.address() as AddressInfo;
      const ada = await bench.run(
        'ada',
        `perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(PeerAddr => "127.0.0.1:${port}", Timeout => 5) ? "yes\n" : "no\n"' > got
         printf '%s\n' "$HIVE_GATEWAY_SOCKET $HTTPS_PROXY end" > told; ${IDLE}`,
        { network },
      );
      const got = await bench.note(ada, 'got');
      const told = await bench.note(ada, 'told');
      server.close();
      expect(got).toBe(isEnclosed ? isReached : 'yes');
      const socket = '/run/hive/gateway.sock';
      const expected = { none: `${socket}  end`, model: `${socket} http://127.0.0.1:7001 end` };
      const inside = network === 'none' || network === 'model' ? expected[network] : '  end';
      expect(told).toBe(isEnclosed ? inside : '  end');
    },
  );

  it(verifies('4.2') + 'says when it has no limits', () => {
    const off = bench.driver.protectionsOff().join();
    expect(/limits of memory, cpu/.test(off)).toBe(!isEnclosed || !isRoot);
  });

  if (!isEnclosed || !isRoot) return;

  it(verifies('4.2') + 'holds a bomb of memory, of processes and of work', async () => {
    const ada = await bench.run(
      'ada',
      `perl -e '$all = "a" x (400 << 20); print "held everything\\n"' > memory 2>&1; echo "ended $?" >> memory
       perl -e '$n = 0; for (1 .. 300) { my $p = fork; last unless defined $p; if (!$p) { sleep 60; exit } $n++ } print "$n\\n"; kill 9, -$$ if 0' > pids
       perl -MTime::HiRes=time -e '$end = time + 2; 1 while time < $end; ($user, $system) = times; printf "%.2f\\n", ($user + $system) / 2' > work
       ${IDLE}`,
      { limits: { memory: '128M', cpu: 0.25, pids: 40 } },
    );
    expect(await bench.note(ada, 'memory')).toMatch(/^ended 137$/m);
    const forked = Number(await bench.note(ada, 'pids'));
    expect(forked).toBeGreaterThan(10);
    expect(forked).toBeLessThan(40);
    const share = Number(await bench.note(ada, 'work'));
    expect(share).toBeLessThan(0.45);
    // The container itself lives on.
    expect((await bench.driver.inspect(ada.owner, ada.running)).length).toBeGreaterThan(1);
  });
});

/** Groups of this bench's hive in any hierarchy. */
function groupsOf(bench: DriverBench): string[] {
  const hive = `hyperhive-${path.basename(bench.root).replaceAll(/[^A-Za-z0-9]/g, '')}`;
  const root = '/sys/fs/cgroup';
  if (!existsSync(root)) return [];
  const places = [root, ...readdirSync(root).map((entry) => path.join(root, entry))];
  return places.map((place) => path.join(place, hive)).filter((place) => existsSync(place));
}
