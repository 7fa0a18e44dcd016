import { BlockList, isIP } from 'node:net';

type Network = readonly [network: string, bits: number];

function listOf(family: 'ipv4' | 'ipv6', ...networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const [network, bits] of networks) list.addSubnet(network, bits, family);
  return list;
}

/**
 * Addresses that look public but lead to internal services within a cloud: metadata, secrets, name servers, and services
 * that trust the network. The metadata addresses of most clouds need no entry: they are link-local (169.254.0.0/16,
 * fe80::/10), shared (Alibaba's 100.100.100.200), IETF's (Oracle's 192.0.0.192) or unique local (fd00::/8).
 */
const clouds4: readonly Network[] = [
  // Azure: platform, name server, health probes, secrets of the guest agent.
  ['168.63.129.16', 32],
  // Google Cloud: restricted.googleapis.com and private.googleapis.com.
  ['199.36.153.4', 30],
  ['199.36.153.8', 30],
  // IBM Cloud: name servers, mirrors, private endpoints of its services.
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

/** Special-purpose IPv4 addresses (RFC 6890 and the IANA registry), and the clouds' own. */
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
  // IETF protocols, AS112, AMT, 6to4 relays.
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
 * The part of IPv6 for global use. This alone excludes everything that embeds IPv4: `::a.b.c.d`, `::ffff:a.b.c.d`,
 * `::ffff:0:a.b.c.d`, and translation (64:ff9b::/96, 64:ff9b:1::/48).
 */
const global6 = listOf('ipv6', ['2000::', 3]);
/** Exceptions: IETF protocols with Teredo, documentation, 6to4, AS112, the former 6bone, the clouds' own. */
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

/** Whether an address belongs to the public internet. IPv4 embedded in IPv6 does not, whatever the IPv4 address. */
export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !special4.check(address, 'ipv4');
  const [plain = ''] = address.split('%');
  if (isIP(plain) !== 6) return false;
  return global6.check(plain, 'ipv6') && !special6.check(plain, 'ipv6') && !isIsatap(plain);
}

/** Whether the second half embeds IPv4 after `0:5efe` or `200:5efe` (ISATAP, RFC 5214), under any prefix. */
function isIsatap(address: string): boolean {
  // URLs normalize to lower case and hexadecimal digits without leading zeros.
  const [start = '', end] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [first, last] = [start, end ?? ''].map((part) => part.split(':').filter((group) => group !== ''));
  const [left = [], right = []] = [first, last];
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return groups[5] === '5efe' && (groups[4] === '0' || groups[4] === '200');
}
