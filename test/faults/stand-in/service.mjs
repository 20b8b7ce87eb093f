// A service that does nothing but what the supervisor sees of one: it says that it is ready, notes when it ends, ends on
// SIGTERM and when its supervisor is gone. What it should do otherwise stands in stand-in.json in the state folder.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const name = path.basename(path.resolve(import.meta.dirname, '..'));
const home = process.env.HIVE_HOME;
const runtime = process.env.HIVE_RUNTIME_DIR;

const note = (what) => {
  const line = { name, what, pid: process.pid, uid: process.getuid() };
  process.stdout.write(`${JSON.stringify({ level: 30, msg: 'note', ...line })}\n`);
};
const wishes = () => {
  try {
    return (
      JSON.parse(fs.readFileSync(path.join(home, 'shared', 'stand-in.json'), 'utf8'))[name] ?? {}
    );
  } catch {
    return {};
  }
};

function end(why) {
  note(`ends: ${why}`);
  process.exit(0);
}
process.on('SIGTERM', () => (wishes().deaf ? note('is deaf') : end('SIGTERM')));
process.on('disconnect', () => end('disconnect'));

if (name === 'c0re') {
  const socket = path.join(runtime, 'c0re-admin', 'c0re-admin.sock');
  fs.rmSync(socket, { force: true });
  const answers = {
    '/v1/health': { ok: true, service: 'c0re', container_driver: 'process' },
    '/v1/login-links': { token: 'one-time', expires_at: '2026-01-01T00:00:00.000Z' },
    '/v1/agents/stop-all': { stopped: 0 },
  };
  const server = http.createServer((request, response) => {
    if (request.url === '/v1/agents/stop-all') note('stops the agents');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answers[request.url] ?? {}));
  });
  await new Promise((resolve) => server.listen(socket, resolve));
}

const listensOn = {
  gateway: [process.env.HIVE_GATEWAY_HOST, process.env.HIVE_GATEWAY_PORT],
  dashboard: [process.env.HIVE_DASHBOARD_HOST, process.env.HIVE_DASHBOARD_PORT],
}[name];
if (listensOn) {
  const [host, port] = listensOn;
  await new Promise((resolve) => http.createServer().listen(Number(port), host, resolve));
}

const { failure, env, slow } = wishes();
if (env) note(`env ${JSON.stringify(process.env)}`);
if (failure) {
  process.send({ type: 'failed', message: failure });
  process.exit(1);
}
note('starts');
setInterval(() => {}, 60_000);
if (!slow) process.send({ type: 'ready' });
