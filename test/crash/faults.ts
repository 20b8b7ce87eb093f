import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import path from 'node:path';

import { Redis } from 'ioredis';

import { parseRedisUrl } from '#libs/service';

import type { RunningHive } from '../support/hive.js';
import { cliOf, harnessesOf, serviceOf, signal, type Victim } from './processes.js';
import type { Random } from './random.js';
import type { Stage } from './stage.js';
import { BOT, PROBED } from './swarm.js';
import { pause, until } from './time.js';

/** How long a stopped process stays so, and how long the disk stays full, in milliseconds. */
const STOPPED_MS = [1000, 8000] as const;
const FULL_MS = [2000, 5000] as const;
/** A CLI at work is waited for this long, in milliseconds. */
const CLI_MS = 3000;
const REDIS_MS = 3000;

const SERVICES = ['broker', 'gateway', 'scheduler', 'dashboard', 'c0re', 'redis'] as const;

/** A fault that happened. */
export interface Strike {
  /** What was hit, for the log. */
  what: string;
  /** Whose next message shows that it is over. */
  agent: string;
  /** Settles when nothing is held any more: the process runs again, the disk has room. */
  over: Promise<void>;
  /** A sign of recovery that a message does not give. */
  isBack?: () => boolean;
}

export interface FaultKind {
  name: string;
  /** How often, beside the others. */
  weight: number;
  /** Undefined when there was nothing to hit just now. */
  strike: (random: Random) => Promise<Strike | undefined>;
}

/** The kinds of faults that are possible here, and those that are not, with the reason. */
export interface Arsenal {
  kinds: FaultKind[];
  leftOut: { kind: string; why: string }[];
}

export async function arsenal(hive: RunningHive, stage: Stage): Promise<Arsenal> {
  const onService = SERVICES.flatMap((service) => [
    { name: `kill ${service}`, weight: 2, strike: killService(hive, service) },
    { name: `stop ${service}`, weight: 2, strike: stopService(hive, service) },
  ]);
  const onAgents = (['harness', 'cli'] as const).flatMap((what) => {
    const find = what === 'harness' ? anyHarness(stage) : anyCli(stage);
    return [
      { name: `kill ${what}`, weight: 5, strike: killAgents(find) },
      { name: `stop ${what}`, weight: 3, strike: stopAgents(find) },
    ];
  });
  const kinds: FaultKind[] = [
    ...onService,
    ...onAgents,
    { name: 'wipe redis', weight: 3, strike: onRedis(stage, 'FLUSHALL') },
    {
      name: 'cut redis',
      weight: 3,
      strike: onRedis(stage, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
    },
  ];
  const leftOut: Arsenal['leftOut'] = [];
  const { disk } = stage;
  if (typeof disk === 'string') leftOut.push({ kind: 'fill disk', why: disk });
  else kinds.push({ name: 'fill disk', weight: 2, strike: fillDisk(disk) });
  if (await canCutConnections()) {
    kinds.push({ name: 'cut gateway', weight: 3, strike: cutGateway(hive) });
  } else {
    leftOut.push({ kind: 'cut gateway', why: '`ss -K` is not there or may not cut connections' });
  }
  return { kinds, leftOut };
}

function killService(hive: RunningHive, service: string): FaultKind['strike'] {
  return async () => {
    const victim = serviceOf(hive, service);
    if (!victim || !signal(victim, 'SIGKILL')) return undefined;
    return {
      what: `${service} ${victim.pid}`,
      agent: PROBED,
      over: Promise.resolve(),
      isBack: () => {
        const now = serviceOf(hive, service);
        return now !== undefined && now.pid !== victim.pid;
      },
    };
  };
}

function stopService(hive: RunningHive, service: string): FaultKind['strike'] {
  return async (random) => {
    const victim = serviceOf(hive, service);
    if (!victim) return undefined;
    return stop(victim, `${service} ${victim.pid}`, PROBED, random);
  };
}

type AgentVictim = { agent: string; process: Victim };
type Find = (random: Random) => Promise<AgentVictim | undefined>;

function killAgents(find: Find): FaultKind['strike'] {
  return async (random) => {
    const found = await find(random);
    if (!found || !signal(found.process, 'SIGKILL')) return undefined;
    const { agent, process } = found;
    return { what: `${agent} ${process.pid}`, agent, over: Promise.resolve() };
  };
}

function stopAgents(find: Find): FaultKind['strike'] {
  return async (random) => {
    const found = await find(random);
    if (!found) return undefined;
    const { agent, process } = found;
    return stop(process, `${agent} ${process.pid}`, agent, random);
  };
}

function anyHarness(stage: Stage): Find {
  return async (random) => {
    const chosen = random.pick([...harnessesOf(stage.home)]);
    return chosen && { agent: chosen[0], process: chosen[1] };
  };
}

function anyCli(stage: Stage): Find {
  return async (random) => {
    const harnesses = random.shuffled([...harnessesOf(stage.home)]);
    let found: AgentVictim | undefined;
    const look = () => {
      for (const [agent, harness] of harnesses) {
        const process = cliOf(harness, BOT);
        if (process) found = { agent, process };
        if (found) return true;
      }
      return false;
    };
    await until(look, CLI_MS, 10);
    return found;
  };
}

function stop(victim: Victim, what: string, agent: string, random: Random): Strike | undefined {
  const ms = Math.round(random.between(...STOPPED_MS));
  if (!signal(victim, 'SIGSTOP')) return undefined;
  const over = pause(ms).then(() => {
    signal(victim, 'SIGCONT');
    return undefined;
  });
  return { what: `${what} for ${ms} ms`, agent, over };
}

/** One command with the operator's own account. */
function onRedis(stage: Stage, command: string, ...words: string[]): FaultKind['strike'] {
  return async () => {
    const url = readFileSync(path.join(stage.home, 'secrets/redis-url'), 'utf8').trim();
    const target = parseRedisUrl(url);
    if (!target) throw new Error('secrets/redis-url is no URL of a Redis');
    const { address, username, password } = target;
    const redis = new Redis({
      ...address,
      username,
      password,
      lazyConnect: true,
      connectTimeout: REDIS_MS,
      commandTimeout: REDIS_MS,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    redis.on('error', () => {});
    try {
      await redis.connect();
      const answer = await redis.call(command, ...words);
      return { what: String(answer), agent: PROBED, over: Promise.resolve() };
    } catch {
      return undefined; // Redis is away.
    } finally {
      redis.disconnect();
    }
  };
}

function fillDisk(disk: Exclude<Stage['disk'], string>): FaultKind['strike'] {
  let isFull = false;
  return async (random) => {
    if (isFull) return undefined;
    isFull = true;
    const ms = Math.round(random.between(...FULL_MS));
    await disk.fill();
    const over = pause(ms).then(() => {
      disk.free();
      isFull = false;
      return undefined;
    });
    return { what: `for ${ms} ms`, agent: PROBED, over };
  };
}

function cutGateway(hive: RunningHive): FaultKind['strike'] {
  const { port } = new URL(hive.gatewayUrl);
  return async () => {
    const { stdout } = spawnSync('ss', ['-K', '-H', '-t', 'sport', '=', `:${port}`]);
    const cut = String(stdout).split('\n').filter(Boolean).length;
    if (cut === 0) return undefined;
    return { what: `${cut} connections`, agent: PROBED, over: Promise.resolve() };
  };
}

/** Tries it on a connection of our own: the kernel may be built without it, or forbid it. */
async function canCutConnections(): Promise<boolean> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => {
    server.once('listening', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  client.on('error', () => {});
  server.on('connection', (socket) => socket.on('error', () => {}));
  await new Promise((resolve) => {
    client.once('connect', resolve);
  });
  spawnSync('ss', ['-K', '-H', '-t', 'sport', '=', `:${port}`]);
  const isCut = await until(() => client.destroyed, 500, 20);
  client.destroy();
  server.close();
  return isCut;
}
