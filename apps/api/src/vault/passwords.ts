import { hash, verify } from '@node-rs/argon2';

/** Argon2id with the least cost that OWASP's password storage advice accepts: 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

export const hashPassword = (password: string): Promise<string> => hash(password.normalize('NFC'), cost);

/** A hash that no password matches, so that an unknown account takes as long to refuse as a wrong password. */
let nobody: Promise<string> | null = null;

export async function passwordMatches(password: string, expected: string | null): Promise<boolean> {
  nobody ??= hashPassword('nobody has this password');
  const matches = await verify(expected ?? (await nobody), password.normalize('NFC'));
  return matches && expected !== null;
}
