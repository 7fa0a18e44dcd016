import { randomBytes } from 'node:crypto';
import { isReservedUsername, nameKey } from '@verbatim/domain';
import type { Sql } from 'postgres';
import { InvalidConfiguration } from '../../config.js';
import { accepted } from '../../doors/refusal.js';
import { newId } from '../../new-id.js';
import { passwordProblem } from '../../storage/vault/common-passwords.js';
import type { Names } from '../../storage/vault/names.js';
import { hashPassword } from '../../storage/vault/passwords.js';
import type { Users } from '../../write-side/entities.js';

/** Always the same id, so that an attempt that was cut short is taken up again by the next start. */
export const FIRST_ADMINISTRATOR = '00000000-0000-8000-8000-000000000001';
/** Any number that nothing else in the database locks. */
const SETUP_LOCK = 7_216_002;

export interface FirstAdministrator {
  readonly username: string;
  /** Null: chosen by the operator. */
  readonly password: string | null;
}

/** Throws InvalidConfiguration if the first administrator is still to be made, with a password that everybody tries first. */
export async function checkFirstAdministrator(users: Users, { username, password }: FirstAdministrator): Promise<void> {
  if (password === null || (await users.newest(FIRST_ADMINISTRATOR)).state.status !== 'unborn') return;
  const problem = await passwordProblem(password, username);
  if (problem) throw new InvalidConfiguration(`The environment is invalid: ADMIN_PASSWORD ${problem}.`);
}

/**
 * Makes the first administrator, unless there was one before. `announce` is told a made-up password before the account
 * exists: should the process die in between, the next start makes up and announces another.
 */
export async function createFirstAdministrator(
  { sql, users, names }: { readonly sql: Sql; readonly users: Users; readonly names: Names },
  { username, password }: FirstAdministrator,
  announce: (password: string) => void,
): Promise<void> {
  await sql.begin(async (lock) => {
    await lock`select pg_advisory_xact_lock(${SETUP_LOCK})`;
    const { state } = await users.newest(FIRST_ADMINISTRATOR);
    if (state.status !== 'unborn') return;
    const name = nameKey(username);
    if (isReservedUsername(name))
      throw new Error(`ADMIN_USERNAME must not be ${name}: bots of webhooks have such names.`);
    if (!(await names.claim('user', name, FIRST_ADMINISTRATOR)))
      throw new Error(`The username ${name} is taken already.`);
    const chosen = password ?? randomBytes(15).toString('base64url');
    await sql`
      insert into vault.credentials (user_id, password_hash) values (${FIRST_ADMINISTRATOR}, ${await hashPassword(chosen)})
      on conflict (user_id) do update set password_hash = excluded.password_hash`;
    if (password === null) announce(chosen);
    const account = { username: name, displayName: username, email: null, role: 'admin', origin: 'setup' } as const;
    const register = { type: 'RegisterUser', actor: null, ...account } as const;
    accepted(await users.send(FIRST_ADMINISTRATOR, register, { correlation: newId() }));
  });
}
