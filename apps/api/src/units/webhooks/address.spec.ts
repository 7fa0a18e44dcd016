import { expect, it } from 'vitest';
import { AddressRefused, guardedLookup } from './address.js';

it('a name resolves to its public addresses only', async () => {
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
