import { BlockList, isIPv4 } from 'node:net';

/** Addresses that are not of the public internet, as [first address, length of the prefix]. */
const IPV4: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
];
const IPV6: readonly [string, number][] = [
  ['::', 96],
  ['64:ff9b::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
];

const blocked = new BlockList();
for (const [first, prefix] of IPV4) blocked.addSubnet(first, prefix, 'ipv4');
for (const [first, prefix] of IPV6) blocked.addSubnet(first, prefix, 'ipv6');

/** Whether the address is loopback, private, link-local or otherwise not of the public internet. */
export function isPrivateAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isPrivateAddress(mapped);
  return blocked.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}
