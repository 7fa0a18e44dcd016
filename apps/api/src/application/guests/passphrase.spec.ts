import { describe, expect, it } from 'vitest';
import { deriveCredentials } from './browser/passphrase.js';

describe('credentials derived from a passphrase', () => {
  it.each([
    [
      'foobar',
      'R3ZXKboT3M5VqPxOQclSB1SPAM3TVS5lqq33YTyi6iN26SRtboiRAzV4TbGP6ha4CI',
      'vUYP1AR1P23lTb6XAO1KhNaK2NQAFQ6DtrLpaEC1wdvu5hafjvCVQFn4R64WuQv4pD',
    ],
    [
      'plop',
      'MpZZ2bCdfJnABcNCjZjUZybuHAorQ4w5nU2xPFzFzTC1HXcR5YiJB5SvxuQGa3AGNlW6',
      'YfjrZPZY65a5PQttAOoDSRWZB6CuTQt5Yo3hYNZ5PZzPQ63EtqRkudOvpKVpOq3AU3UA',
    ],
    [
      'a',
      'Q54vYBKUiZl3OyZVdNbCaxafSSZboTPVp6kU4wc3UzjRbTAt4BhCK1YNbb5AqSQO',
      'kR4VCQdMGcluwngIORjwttqYYB13Jb4wS5c1CZRBYGnjaE6kOXGHzxN2Xa4r6oAOI',
    ],
    [
      'correct horse battery staple',
      'NUBYjpebTcDR54XomCSXeMNZuHOOEaJiQBNdSbMdbci3yEo15p6ySMLTSiTbN5QyW',
      'X5SVUTxNAR4cAUMAf3KZVdTrm4BqSNCVU5v6QolYapLZsjzaakLCZ5VPB6Ym1a51W0',
    ],
  ])('are those of the original for %j', (passphrase, login, password) => {
    expect(deriveCredentials(passphrase)).toEqual({ login, password });
  });

  it.each(['', ' ', 'Grüße', '👋', '你好 مرحبا'])('exist for %j, and are the same each time', (passphrase) => {
    const derived = deriveCredentials(passphrase);
    expect(`${derived?.login}${derived?.password}`).toMatch(/^[0-9A-Za-z]{80,}$/);
    expect(deriveCredentials(passphrase)).toEqual(derived);
  });

  it('do not exist for a passphrase with which the original never ends', () => {
    expect(deriveCredentials('a'.repeat(155))).toBeNull();
    expect(deriveCredentials('ä'.repeat(102))).not.toBeNull();
  });
});
