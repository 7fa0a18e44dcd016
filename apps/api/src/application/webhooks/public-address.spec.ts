import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isPublic } from './public-address.js';

it.each([
  ...['8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.0', '100.63.255.255', '100.128.0.0', '223.255.255.255'],
  ...['2606:4700::1111', '2a00:1450:4001::', '2003::1', '2a00:1450:4001:800:1:5efe:7f00:1', '2a00:5efe::5efe'],
  // Next to the clouds' own.
  ...[
    '168.63.129.15',
    '168.63.129.17',
    '199.36.153.3',
    '199.36.153.12',
    '161.25.255.255',
    '161.27.0.0',
    '166.7.255.255',
  ],
  ...['166.12.0.0', '192.80.8.123', '192.31.195.255', '192.175.49.0', '2600:2d00:2:3000::1', '2620:4f:8001::1'],
])('%s is public', (address) => {
  expect(isPublic(address)).toBe(true);
});

it.each([
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.255.254'],
  ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.1', '192.168.1.1', '198.19.0.1'],
  ...['224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255'],
  ...[
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
  ],
  ...['100::1', 'fc00::1', 'fd12:3456::1', 'fe80::1', 'fe80::1%lo', 'fec0::1', 'ff02::1', '2001::1', '2001:db8::1'],
  ...['2002:7f00:1::', '3fff::1', 'localhost', '', '127.1', '0x7f000001'],
  // The clouds' own: Azure, Google, IBM, Equinix; Alibaba, Oracle, Tencent, Amazon's containers; Amazon, Google, Linode.
  ...['168.63.129.16', '199.36.153.4', '199.36.153.7', '199.36.153.8', '199.36.153.11', '161.26.0.10', '166.9.1.1'],
  ...['192.80.8.124', '100.100.100.200', '192.0.0.192', '169.254.0.23', '169.254.170.2', '169.254.42.42'],
  ...['fd00:ec2::254', 'fd20:ce::254', 'fd00:a9fe:a9fe::1', 'fe80::a9fe:a9fe', '2600:2d00:2:1000::1'],
  ...['2600:2d00:0002:2000::', '192.31.196.1', '192.52.193.1', '192.175.48.1', '2620:4f:8000::1', '3ffe::1'],
  // IPv4 in IPv6: translated, mapped in all ways of writing it, Teredo, 6to4, ISATAP.
  ...['::ffff:0:127.0.0.1', '0:0:0:0:0:ffff:a83f:8110', '::FFFF:168.63.129.16', '64:ff9b::168.63.129.16'],
  ...['2001:0:4136:e378:8000:63bf:3fff:fdd2', '2002:a83f:8110::1', '2a00:1450::5efe:7f00:1'],
  ...['2a00:1450:4001:800:0:5efe:10.0.0.1', '2a00:1450:4001:800:200:5efe:a9fe:a9fe', '::5efe:7f00:1'],
])('%s is not', (address) => {
  expect(isPublic(address)).toBe(false);
});

it('every address of a special network is refused, however IPv6 wraps it', () => {
  const part = fc.integer({ min: 0, max: 255 });
  const inside = fc.oneof(
    fc.tuple(fc.constantFrom(0, 10, 127), part, part, part),
    fc.tuple(fc.constant(192), fc.constant(168), part, part),
    fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), part, part),
    fc.tuple(fc.constant(169), fc.constant(254), part, part),
    fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), part, part),
    fc.tuple(fc.constant(168), fc.constant(63), fc.constant(129), fc.constant(16)),
    fc.tuple(fc.integer({ min: 224, max: 255 }), part, part, part),
  );
  const hex = (high: number, low: number) => ((high << 8) | low).toString(16);
  fc.assert(
    fc.property(inside, ([a, b, c, d]) => {
      const [dotted, groups] = [`${a}.${b}.${c}.${d}`, `${hex(a, b)}:${hex(c, d)}`];
      const flipped = `${hex(255 - a, 255 - b)}:${hex(255 - c, 255 - d)}`;
      const wrapped = [
        ...['::', '::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::', '2a02:1::5efe:', '2a02:1:0:0:200:5efe:'].flatMap(
          (prefix) => [`${prefix}${dotted}`, `${prefix}${groups}`, `${prefix}${groups}`.toUpperCase()],
        ),
        ...[`2002:${groups}::1`, `2001:0:5ef5:79fd:0:1:${flipped}`],
      ];
      for (const address of [dotted, ...wrapped]) expect(isPublic(address), address).toBe(false);
    }),
  );
});
