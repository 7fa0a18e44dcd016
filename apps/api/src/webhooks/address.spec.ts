import { expect, it } from 'vitest';
import { AddressRefused, guardedLookup, isPublic } from './address.js';

it.each([
  ...['8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.0', '100.63.255.255', '100.128.0.0', '223.255.255.255'],
  ...['2606:4700::1111', '2a00:1450:4001::', '2003::1'],
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
])('%s is not', (address) => {
  expect(isPublic(address)).toBe(false);
});

it('a name leads to its public addresses only', async () => {
  const addresses = ['10.0.0.1', '8.8.8.8', '::1'].map((address) => ({
    address,
    family: address.includes(':') ? 6 : 4,
  }));
  const ask = (allowPrivate: boolean, count: number) =>
    new Promise((resolve, reject) =>
      guardedLookup(async () => addresses.slice(0, count), allowPrivate)(
        'example.org',
        { all: true },
        (error, found) => (error ? reject(error) : resolve(found)),
      ),
    );
  expect(await ask(false, 3)).toEqual([{ address: '8.8.8.8', family: 4 }]);
  expect(await ask(true, 3)).toEqual(addresses);
  await expect(ask(false, 1)).rejects.toThrow(AddressRefused);
});
