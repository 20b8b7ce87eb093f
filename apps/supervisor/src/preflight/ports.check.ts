import { createServer } from 'node:net';

import { optionName } from '../settings/start-options.js';
import type { Address } from '../settings/supervisor.settings.js';
import { StartRefusedError } from './start-refused.error.js';

/** How far above a port in use a free one is looked for, to be suggested. */
const SUGGEST_WITHIN = 20;

/**
 * Tries every address that the hive will listen on.
 * @throws StartRefusedError that names each port in use and how to choose another.
 */
export async function checkPorts(addresses: readonly Address[]): Promise<void> {
  const problems: string[] = [];
  const taken = new Set(addresses.map(({ port }) => port));
  for (const address of addresses) {
    const code = await tryListening(address.host, address.port);
    if (code !== undefined) problems.push(await describe(address, code, taken));
  }
  if (problems.length > 0) throw new StartRefusedError(problems.join('\n'));
}

async function describe(
  { setting, host, port }: Address,
  code: string,
  taken: Set<number>,
): Promise<string> {
  const hostSetting = setting.replace('PORT', 'HOST');
  if (code === 'EADDRINUSE') {
    const free = await freePortAbove(host, port, taken);
    taken.add(free);
    return `port ${port} on ${host} is in use by another program. Choose another one: npm start -- ${optionName(setting)} ${free} (or ${setting}=${free})`;
  }
  if (code === 'EACCES') {
    return `port ${port} on ${host} is reserved for root. Choose one above 1023: npm start -- ${optionName(setting)} ${port + 7000}`;
  }
  return `${hostSetting}=${host} is not an address of this machine (${code}). Choose one: npm start -- ${optionName(hostSetting)} 127.0.0.1`;
}

async function freePortAbove(
  host: string,
  port: number,
  taken: ReadonlySet<number>,
): Promise<number> {
  for (let next = port + 1; next <= Math.min(port + SUGGEST_WITHIN, 65_535); next += 1) {
    if (taken.has(next)) continue;
    if ((await tryListening(host, next)) === undefined) return next;
  }
  return port < 60_000 ? port + 1000 : port - 1000;
}

/** The error code of listening there, or undefined when it works. */
function tryListening(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
}
