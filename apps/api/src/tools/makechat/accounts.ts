import { isRejection, nameKey } from '@verbatim/domain';
import { peopleWithEmail } from '@verbatim/projections';
import { calls } from '@verbatim/protocol';
import { AccountOpener } from '../../application/accounts/account-opener.js';
import { PasswordChangeRecorder } from '../../application/sessions/password-commands.js';
import { SessionRevoker } from '../../application/sessions/session-revoker.js';
import { newId } from '../../new-id.js';
import { passwordProblem } from '../../storage/vault/common-passwords.js';
import { Credentials } from '../../storage/vault/credentials.js';
import type { Tools } from '../tools.js';

/** Milliseconds to wait until readers see what was changed. */
const PATIENCE_MS = 10_000;

const context = () => ({ correlation: newId(), door: 'makechat' });

/** Opens an account; a text says why it cannot be opened. It has no tokens. */
export async function createUser(
  tools: Tools,
  account: { readonly username: string; readonly password: string; readonly email: string; readonly isAdmin: boolean },
): Promise<string | null> {
  const read = calls.register.body.safeParse(account);
  if (!read.success) return problemOf(read.error.issues[0]);
  const { username, password, email = null } = read.data;
  const sources = ['person', 'administrator', 'provider'] as const;
  const others = email === null ? [] : await peopleWithEmail(tools.readModels.db, email, sources, 1);
  if (others.length > 0) return 'Email is already taken.';
  const opener = new AccountOpener(tools.users, tools.names, new Credentials(tools.sql, tools.time.now));
  const role = account.isAdmin ? 'admin' : 'user';
  const opening = { username, displayName: account.username, email, role, origin: 'admin', password } as const;
  const opened = await opener.open(newId(), opening, context());
  if (isRejection(opened)) return opened.detail;
  await tools.readModels.reached(opened.position, PATIENCE_MS);
  return null;
}

/** Sets a password and ends all sessions of the account; a text says why it cannot be set. */
export async function changePassword(tools: Tools, username: string, password: string): Promise<string | null> {
  const { users, names, sessions } = tools;
  const userId = await names.ownerOf('user', nameKey(username));
  const { state, revision } = userId ? await users.newest(userId) : { state: null, revision: -1n };
  if (!userId || !state || state.status === 'unborn' || state.status === 'abandoned') return 'user does not exist';
  const read = calls.resetPassword.body.shape.newPassword.safeParse(password);
  if (!read.success) return `password ${read.error.issues[0]?.message}`;
  const problem = await passwordProblem(password, state.username);
  if (problem) return `password ${problem}`;

  const credentials = new Credentials(tools.sql, tools.time.now);
  const token = await credentials.issueReset(userId, revision);
  const replaced = await credentials.reset(token, password);
  if (!replaced) return 'the password has just been changed by somebody else';
  const recorder = new PasswordChangeRecorder(users, credentials, sessions, new SessionRevoker(users, sessions));
  const recorded = await recorder.record(replaced, revision, null, 'all', context());
  return isRejection(recorded) ? recorded.detail : null;
}

const problemOf = (issue: { readonly path: readonly PropertyKey[]; readonly message: string } | undefined): string =>
  issue ? `${issue.path.map(String).join('.')} ${issue.message}` : 'bad data';
