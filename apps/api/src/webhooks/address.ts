import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** All addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export const systemResolve: Resolve = (hostname) => lookup(hostname, { all: true });

/** A host has no address that requests may be sent to. */
export class AddressRefused extends Error {}

/** Special purposes of IPv4 (RFC 6890 and its registry): this host, private, shared, loopback, link-local, tests, multicast, reserved. */
const special4 = new BlockList();
for (const [network, bits] of [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
    ['192.168.0.0', 16],
  ] as const),
  ...([
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
  ] as const),
])
  special4.addSubnet(network, bits, 'ipv4');

/** Of IPv6 only what is handed out for global use, without what stands for something else: Teredo, documentation, 6to4. */
const global6 = new BlockList();
global6.addSubnet('2000::', 3, 'ipv6');
const special6 = new BlockList();
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  special6.addSubnet(network, bits, 'ipv6');

/** Whether an address is one of the public internet. IPv4 written as IPv6 is not, whatever it stands for. */
export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !special4.check(address, 'ipv4');
  const [plain = ''] = address.split('%');
  return isIP(plain) === 6 && global6.check(plain, 'ipv6') && !special6.check(plain, 'ipv6');
}

/**
 * The look-up for `net.connect`: what it answers is what is connected to, so a name that changes its addresses between a
 * check and the connection gains nothing.
 */
export const guardedLookup =
  (resolve: Resolve, allowPrivate: boolean): LookupFunction =>
  (hostname, options, callback) => {
    const found = resolve(hostname).then((addresses) => {
      const allowed = addresses.filter(({ address }) => allowPrivate || isPublic(address));
      const [first] = allowed;
      if (!first) throw new AddressRefused(`${hostname} has no address that is allowed.`);
      return { first, allowed };
    });
    found.then(
      ({ first, allowed }) =>
        options.all ? callback(null, [...allowed]) : callback(null, first.address, first.family),
      (error) => callback(error, ''),
    );
  };
