import { describe, expect, it } from 'vitest';
import { isAddressRejection, WebhookAddressPolicy } from './webhook-address-policy.js';

describe('the address of a webhook', () => {
  const policy = new WebhookAddressPolicy(false);

  it.each(['https://example.org/hook', 'https://8.8.8.8/', 'https://[2606:4700::1111]:8443/'])(
    'can be %s',
    (address) => {
      expect(policy.refusal(address)).toBeNull();
    },
  );

  it.each([
    ['http://example.org/', 'must begin with https://'],
    ['https://127.0.0.1/', 'must not be a private address'],
    ['https://[::1]/', 'must not be a private address'],
  ])('cannot be %s: it %s', (address, addressProblem) => {
    const refusal = policy.refusal(address);
    expect(refusal).toMatchObject({ rejected: 'Invalid', addressProblem });
    expect(refusal && isAddressRejection(refusal)).toBe(true);
  });

  it('can be anything if the operator allows private addresses', () => {
    expect(new WebhookAddressPolicy(true).refusal('http://127.0.0.1:9000/')).toBeNull();
  });
});
