import { hash } from '@node-rs/argon2';
import { describe, expect, it } from 'vitest';
import { hashLimits, hashPassword, isOutdated, passwordMatches } from './passwords.js';

describe('hashes of passwords', () => {
  it('match their password in any normalization, and no other', async () => {
    const made = await hashPassword('Zoe\u0308 is here');
    expect(await passwordMatches('Zo\u00eb is here', made)).toBe(true);
    expect(await passwordMatches('zo\u00eb is here', made)).toBe(false);
    expect(await passwordMatches('no one has this password', null)).toBe(false);
  });

  it('with another cost are outdated', async () => {
    expect(isOutdated(await hashPassword('correct horse'))).toBe(false);
    expect(isOutdated(await hash('correct horse', { memoryCost: 8_192, timeCost: 1, parallelism: 1 }))).toBe(true);
  });

  it('are computed a few at a time, and rejected when too many are waiting', async () => {
    const attempted = hashLimits.atOnce + hashLimits.waiting + 2;
    const attempts = await Promise.allSettled(Array.from({ length: attempted }, () => hashPassword('correct horse')));
    const refused = attempts.filter(({ status }) => status === 'rejected');
    expect(refused.map((attempt) => (attempt as PromiseRejectedResult).reason.rejection.rejected)).toEqual([
      'Unavailable',
      'Unavailable',
    ]);
    expect(await passwordMatches('correct horse', await hashPassword('correct horse'))).toBe(true);
  });
});
