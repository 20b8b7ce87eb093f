import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import path from 'node:path';

import { WebSocket } from 'ws';

import { RpcClient, socketPath } from '#libs/ipc';
import type { BrokerGatewayApi } from '#libs/protocol';

import { makeAgents } from '../bench-agents.js';
import { BenchProcess, ROOT } from '../child-process.js';
import { freePort, HiveUnderTest } from '../hive-under-test.js';
import { nextBody } from '../loads.js';
import type { ResultRow } from '../report.js';
import { median } from '../statistics.js';
import { until } from '../until.js';
import { cheapRequestId } from '../uuid7.js';

const SOCKETS = 1000;
/** Sockets that are opened at one time. */
const AT_ONCE = 50;
const MESSAGES = 20;
const WAIT_MS = 30_000;
/** The place before the first event of all. */
const BEGINNING = '0-0';

/** Target 11: one event of the dashboard to 1,000 sockets, from the send that causes it to the last of them. */
export async function measureFanOut(tell: (text: string) => void): Promise<ResultRow[]> {
  tell(`one event to ${SOCKETS.toLocaleString('en')} sockets of the dashboard …`);
  const [sender, receiver] = makeAgents('f', 2, 'external');
  if (!sender || !receiver) throw new Error('no agents');
  const hive = await HiveUnderTest.start({ agents: [sender, receiver] });
  const c0re = await operatorOf(socketPath(hive.runtimeDir, 'c0re', 'dashboard'));
  const gateway = new RpcClient<BrokerGatewayApi>({ path: hive.brokerSocket });
  gateway.start();
  const clients: WebSocket[] = [];
  let dashboard: BenchProcess | undefined;
  try {
    const port = await freePort();
    dashboard = await startDashboard(hive, port);
    let has = 0;
    const at = { first: 0, last: 0 };
    let wanted = '';
    const heard = (frame: Buffer) => {
      if (!frame.includes(wanted) || !frame.includes('message_sent')) return;
      at.last = performance.now();
      if (has === 0) at.first = at.last;
      has += 1;
    };
    while (clients.length < SOCKETS)
      clients.push(
        ...(await Promise.all(Array.from({ length: AT_ONCE }, () => openSocket(port, heard)))),
      );
    const all: number[] = [];
    const between: number[] = [];
    for (let n = 0; n < MESSAGES; n++) {
      has = 0;
      wanted = nextBody();
      const { credential, name: session } = sender;
      const start = performance.now();
      const request_id = cheapRequestId();
      const message = { credential, session, request_id, to: receiver.name, body: wanted };
      await gateway.call('send', message);
      gateway.call('answers_written', { request_ids: [request_id] }).catch(() => {});
      await until(WAIT_MS, () => has >= SOCKETS);
      all.push(at.last - start);
      between.push(at.last - at.first);
    }
    const sockets = SOCKETS.toLocaleString('en');
    return [
      {
        target: '11',
        what: `a message's event on ${sockets} sockets of the dashboard, from the call of send to the last`,
        value: Math.min(...all),
        unit: 'ms',
        goal: { at: 'most', value: 50 },
        runs: [median(all), ...all],
      },
      {
        target: '11',
        what: 'the same from the first socket to the last',
        value: Math.min(...between),
        unit: 'ms',
        runs: [median(between), ...between],
      },
    ];
  } finally {
    for (const client of clients) client.terminate();
    gateway.close();
    await dashboard?.stop();
    c0re.closeAllConnections();
    c0re.close();
    await hive.stop();
  }
}

/** Stands for c0re, which knows the operator. */
async function operatorOf(socket: string): Promise<Server> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ scope: 'api', kind: 'token' }));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return server;
}

async function startDashboard(hive: HiveUnderTest, port: number): Promise<BenchProcess> {
  const web = path.join(hive.dir, 'web');
  mkdirSync(web);
  writeFileSync(path.join(web, 'index.html'), '<!doctype html><title>page</title>');
  return BenchProcess.start({
    name: 'dashboard',
    argv: [process.execPath, path.join(ROOT, 'dist/apps/dashboard/src/main.js')],
    env: {
      HIVE_HOME: hive.dir,
      HIVE_RUNTIME_DIR: hive.runtimeDir,
      HIVE_REDIS_URL: hive.redisUrl,
      HIVE_LOG_LEVEL: 'warn',
      HIVE_REV: 'bench',
      HIVE_DASHBOARD_HOST: '127.0.0.1',
      HIVE_DASHBOARD_PORT: String(port),
      HIVE_WEB_DIR: web,
    },
    log: hive.log('dashboard'),
  });
}

function openSocket(port: number, heard: (frame: Buffer) => void): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/events?after=${BEGINNING}`, {
    headers: { authorization: 'Bearer bench-operator' },
    perMessageDeflate: false,
  });
  socket.on('message', heard);
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}
