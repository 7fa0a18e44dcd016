import { isIPv6 } from 'node:net';

/** The key under which an address is counted: IPv4 as is, IPv6 by its /64, which one customer usually owns. */
export function addressKey(address: string): string {
  const plain = address.split('%')[0] ?? '';
  if (!isIPv6(plain)) return plain;
  const [before = '', after] = plain.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after ? after.split(':') : [];
  // A trailing IPv4 address takes the place of two groups.
  const groups = head.length + tail.length + (plain.includes('.') ? 1 : 0);
  const zeros = Array.from({ length: after === undefined ? 0 : 8 - groups }, () => '0');
  const prefix = [...head, ...zeros, ...tail].slice(0, 4);
  return `${prefix.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
