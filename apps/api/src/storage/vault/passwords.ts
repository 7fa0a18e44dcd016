import { hash, verify } from '@node-rs/argon2';
import { Refusal } from '../../doors/refusal.js';

/** Argon2id with the least cost that OWASP's password storage advice accepts: 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** How hashes of this cost begin. */
const prefix = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`;

/** Hashes computed at a time in this process, each taking 19 MiB, and those that may wait for their turn. */
export const hashLimits = { atOnce: 4, waiting: 200 };

let underWay = 0;
const waiting: (() => void)[] = [];

/** Does one computation when its turn comes; refuses as `unavailable` when too many are waiting already. */
async function inTurn<T>(compute: () => Promise<T>): Promise<T> {
  if (underWay >= hashLimits.atOnce) {
    if (waiting.length >= hashLimits.waiting)
      throw new Refusal('unavailable', 'Too many passwords are being checked at the moment.');
    // Whoever ends hands over the turn, so that nobody who comes later gets in between.
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else underWay += 1;
  try {
    return await compute();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else underWay -= 1;
  }
}

export const hashPassword = (password: string): Promise<string> => inTurn(() => hash(password.normalize('NFC'), cost));

/** A hash that no password matches, so that an unknown account takes as long to refuse as a wrong password. */
let nobody: Promise<string> | null = null;

export async function passwordMatches(password: string, expected: string | null): Promise<boolean> {
  nobody ??= hash('nobody has this password', cost);
  const against = expected ?? (await nobody);
  const matches = await inTurn(() => verify(against, password.normalize('NFC')));
  return matches && expected !== null;
}

/** Whether a hash was made at another cost than new ones are. */
export const isOutdated = (passwordHash: string): boolean => !passwordHash.startsWith(prefix);
