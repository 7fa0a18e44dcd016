import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** All addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export const systemResolve: Resolve = (hostname) => lookup(hostname, { all: true });

/** A host has no address that requests may be sent to. */
export class AddressRefused extends Error {}

type Network = readonly [network: string, bits: number];

function listOf(family: 'ipv4' | 'ipv6', ...networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const [network, bits] of networks) list.addSubnet(network, bits, family);
  return list;
}

/**
 * Addresses of clouds that are written like public ones, but lead every machine in the cloud to something of its own: who a
 * machine is, its secrets, names, and services that trust the network. The metadata addresses of most clouds need no entry:
 * they are link-local (169.254.0.0/16, fe80::/10), shared (Alibaba's 100.100.100.200), IETF's (Oracle's 192.0.0.192) or unique
 * local (fd00::/8).
 */
const clouds4: readonly Network[] = [
  // Azure: platform, name server, health probes and the guest agent's secrets.
  ['168.63.129.16', 32],
  // Google Cloud: restricted.googleapis.com and private.googleapis.com.
  ['199.36.153.4', 30],
  ['199.36.153.8', 30],
  // IBM Cloud: name servers, mirrors and the endpoints of its services inside of it.
  ['161.26.0.0', 16],
  ['166.8.0.0', 14],
  // Equinix Metal: metadata.
  ['192.80.8.124', 32],
];
const clouds6: readonly Network[] = [
  // Google Cloud: restricted.googleapis.com and private.googleapis.com.
  ['2600:2d00:2:1000::', 64],
  ['2600:2d00:2:2000::', 64],
];

/** Special purposes of IPv4 (RFC 6890 and the registry of IANA), and the clouds' own addresses. */
const special4 = listOf(
  'ipv4',
  // This host, private, shared, loopback, link-local.
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ] as const),
  // Protocols of the IETF, AS112, AMT, relays of 6to4.
  ...([
    ['192.0.0.0', 24],
    ['192.31.196.0', 24],
    ['192.52.193.0', 24],
    ['192.88.99.0', 24],
    ['192.175.48.0', 24],
  ] as const),
  // Documentation, measurements.
  ...([
    ['192.0.2.0', 24],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['198.18.0.0', 15],
  ] as const),
  // Multicast, reserved, broadcast.
  ...([
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
  ] as const),
  ...clouds4,
);

/**
 * Of IPv6 only what is for global use. All that stands for IPv4 elsewhere is left out by this alone: `::a.b.c.d`,
 * `::ffff:a.b.c.d`, `::ffff:0:a.b.c.d`, and translation (64:ff9b::/96, 64:ff9b:1::/48).
 */
const global6 = listOf('ipv6', ['2000::', 3]);
/** What of it is not: protocols of the IETF with Teredo, documentation, 6to4, AS112, what the 6bone had, the clouds' own. */
const special6 = listOf(
  'ipv6',
  ...([
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['2620:4f:8000::', 48],
    ['3ffe::', 16],
    ['3fff::', 20],
  ] as const),
  ...clouds6,
);

/** Whether an address is one of the public internet. IPv4 written as IPv6 is not, whatever it stands for. */
export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !special4.check(address, 'ipv4');
  const [plain = ''] = address.split('%');
  if (isIP(plain) !== 6) return false;
  return global6.check(plain, 'ipv6') && !special6.check(plain, 'ipv6') && !isIsatap(plain);
}

/** Whether IPv4 stands in the second half behind `0:5efe` or `200:5efe` (ISATAP, RFC 5214), under any prefix. */
function isIsatap(address: string): boolean {
  // As a URL writes it: in lower case, without leading zeros and with hexadecimal digits only.
  const [start = '', end] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [first, last] = [start, end ?? ''].map((part) => part.split(':').filter((group) => group !== ''));
  const [left = [], right = []] = [first, last];
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return groups[5] === '5efe' && (groups[4] === '0' || groups[4] === '200');
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
