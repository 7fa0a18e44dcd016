import { hash, verify } from '@node-rs/argon2';
import { Semaphore } from '../../limits/semaphore.js';
import { Busy } from '../busy.js';

/** Argon2id with the minimum cost that OWASP recommends for passwords: 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** Prefix of hashes with this cost. */
const prefix = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`;

/** Hashes computed concurrently in this process, 19 MiB each, and how many more may wait. */
export const hashLimits = { atOnce: 4, waiting: 200 } as const;

const turns = new Semaphore(hashLimits.atOnce, hashLimits.waiting);

/** Runs a computation in turn. Throws Busy when too many are waiting. */
function inTurn<T>(compute: () => Promise<T>): Promise<T> {
  const begun = turns.tryRun(compute);
  if (!begun) throw new Busy('Too many passwords are being checked at the moment.');
  return begun;
}

export const hashPassword = async (password: string): Promise<string> =>
  inTurn(() => hash(password.normalize('NFC'), cost));

/** A hash that no password matches, so that rejecting an unknown account takes as long as rejecting a wrong password. */
let dummyHash: Promise<string> | null = null;

export async function passwordMatches(password: string, expected: string | null): Promise<boolean> {
  dummyHash ??= hash('no one has this password', cost);
  const against = expected ?? (await dummyHash);
  const matches = await inTurn(() => verify(against, password.normalize('NFC')));
  return matches && expected !== null;
}

/** Whether a hash has a different cost than new ones. */
export const isOutdated = (passwordHash: string): boolean => !passwordHash.startsWith(prefix);
