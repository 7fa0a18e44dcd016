import { randomBytes } from 'node:crypto';
import { isRejection, isReservedUsername, nameKey } from '@verbatim/domain';
import { InvalidConfiguration } from '../../config.js';
import { newId } from '../../new-id.js';
import { passwordProblem } from '../../storage/vault/common-passwords.js';
import type { Credentials } from '../../storage/vault/credentials.js';
import type { Names } from '../../storage/vault/names.js';
import type { SetupLock } from '../../storage/vault/setup-lock.js';
import type { Users } from '../../write-side/entities.js';

/** A fixed id, so that the next start resumes an interrupted attempt. */
export const FIRST_ADMINISTRATOR = '00000000-0000-8000-8000-000000000001';

export interface FirstAdministratorParts {
  readonly lock: SetupLock;
  readonly users: Users;
  readonly names: Names;
  readonly credentials: Credentials;
}

export interface FirstAdministrator {
  readonly username: string;
  /** Null: generated. */
  readonly password: string | null;
}

/** Throws InvalidConfiguration if the first administrator does not exist yet and would get a common password. */
export async function checkFirstAdministrator(users: Users, { username, password }: FirstAdministrator): Promise<void> {
  if (password === null || (await users.newest(FIRST_ADMINISTRATOR)).state.status !== 'unborn') return;
  const problem = await passwordProblem(password, username);
  if (problem) throw new InvalidConfiguration(`The environment is invalid: ADMIN_PASSWORD ${problem}.`);
}

/**
 * Creates the first administrator unless there was one before. `announce` receives a generated password before the
 * account exists: if the process dies in between, the next start generates and announces another.
 */
export async function createFirstAdministrator(
  { lock, users, names, credentials }: FirstAdministratorParts,
  { username, password }: FirstAdministrator,
  announce: (password: string) => void,
): Promise<void> {
  await lock.hold(async () => {
    const { state } = await users.newest(FIRST_ADMINISTRATOR);
    if (state.status !== 'unborn') return;
    const name = nameKey(username);
    if (isReservedUsername(name))
      throw new Error(`ADMIN_USERNAME must not be ${name}: bots of webhooks have such names.`);
    if (!(await names.claim('user', name, FIRST_ADMINISTRATOR)))
      throw new Error(`The username ${name} is already taken.`);
    const chosen = password ?? randomBytes(15).toString('base64url');
    await credentials.set(FIRST_ADMINISTRATOR, chosen);
    if (password === null) announce(chosen);
    const account = { username: name, displayName: username, email: null, role: 'admin', origin: 'setup' } as const;
    const register = { type: 'RegisterUser', actor: null, ...account } as const;
    const registered = await users.send(FIRST_ADMINISTRATOR, register, { correlation: newId() });
    if (isRejection(registered)) throw new Error(`The first administrator cannot be created: ${registered.detail}`);
  });
}
