import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { isPublic } from '../../application/webhooks/public-address.js';

/** All addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export const systemResolve: Resolve = (hostname) => lookup(hostname, { all: true });

/** The host has no address that requests may be sent to. */
export class AddressRefused extends Error {}

/**
 * The lookup for `net.connect`. The connection goes to the address that it returns, so a name that changes its addresses
 * between a check and the connection gains nothing.
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
