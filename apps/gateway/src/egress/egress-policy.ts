import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import path from 'node:path';

/** Where an agent's `model` network may lead (P35): `host`, `*.domain` or an address, each with a port. */
export interface EgressPolicy {
  hosts: readonly string[];
}

/** Longest file that is read, in bytes; c0re writes far less. */
const MOST_BYTES = 65_536;

/**
 * The policy that c0re wrote beside the agent's run folder, where no agent can change it. Read for each connection, so
 * that a change counts at once; without a file nothing is allowed.
 */
export async function readPolicy(runDir: string): Promise<EgressPolicy> {
  try {
    const text = await readFile(path.join(path.dirname(runDir), 'egress.json'), 'utf8');
    const parsed = text.length > MOST_BYTES ? undefined : (JSON.parse(text) as EgressPolicy);
    return { hosts: parsed?.hosts ?? [] };
  } catch {
    return { hosts: [] };
  }
}

/** Whether the policy names the host with that port. */
export function isListed({ hosts }: EgressPolicy, host: string, port: number): boolean {
  const wanted = `${host.toLowerCase()}:${port}`;
  return hosts.some((entry) => {
    const listed = entry.toLowerCase();
    if (!listed.startsWith('*.')) return listed === wanted;
    return isIP(host) === 0 && wanted.endsWith(listed.slice(1));
  });
}
