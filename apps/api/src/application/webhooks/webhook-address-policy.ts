import { isIP } from 'node:net';
import { type Rejection, reject } from '@verbatim/domain';
import { isPublic } from './public-address.js';

/** The address of a webhook is not allowed. */
export interface AddressRejection extends Rejection {
  /** The problem: `must begin with https://`. */
  readonly addressProblem: string;
}

export const isAddressRejection = (outcome: object): outcome is AddressRejection => 'addressProblem' in outcome;

/** Decides which addresses events may be sent to: public ones over https, unless the operator allows all. */
export class WebhookAddressPolicy {
  constructor(readonly allowPrivate: boolean) {}

  /** The problem of an address as written, or null. Host names are checked on connecting. */
  problemOf(address: string): string | null {
    const url = new URL(address);
    if (this.allowPrivate) return null;
    if (url.protocol !== 'https:') return 'must begin with https://';
    const host = url.hostname.replace(/^\[|\]$/g, '');
    return isIP(host) && !isPublic(host) ? 'must not be a private address' : null;
  }

  /** The same as the outcome of a command. */
  refusal(address: string): AddressRejection | null {
    const addressProblem = this.problemOf(address);
    return addressProblem === null ? null : { ...notAllowed, addressProblem };
  }
}

const notAllowed = reject('Invalid', 'Events are not sent to this address.');
