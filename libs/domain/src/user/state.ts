import type { Erasable, ServerRole } from '../decider.js';
import { type Rejection, reject } from '../rejection.js';
import type { TokenHolder } from './tokens.js';

// The state of an account. The rules decide from this alone.

export interface UserState extends TokenHolder {
  /** A deactivated account may be suspended as well. */
  readonly status: 'unborn' | 'abandoned' | 'active' | 'suspended' | 'deactivated';
  readonly suspended: boolean;
  readonly revision: bigint;
  readonly username: string;
  readonly displayName: Erasable;
  readonly email: Erasable;
  readonly emailSource: EmailSource;
  readonly role: ServerRole;
  /** Id of the secret of the second factor in use; null: none. */
  readonly totpId: string | null;
  /** Ids of the identities at providers that can sign in to the account. */
  readonly identities: readonly string[];
  readonly createdAt: string;
  /** The bot of an incoming webhook, which ends with it: it has no tokens and no role, and never comes back. */
  readonly webhookBot: boolean;
  /** A guest with only a name and no credential: no password, no tokens, no role. */
  readonly guest: boolean;
  /**
   * Revision of the last event that shut the account out (suspended, deactivated, taken over), or -1. Credentials issued
   * at an earlier revision are no longer valid.
   */
  readonly shutOutAt: number;
}

/**
 * Who confirmed an account's address, or that it has none: only the person who named it, an administrator, or an
 * identity provider that has verified it.
 */
export type EmailSource = 'person' | 'administrator' | 'provider';

export const initialState: UserState = {
  status: 'unborn',
  suspended: false,
  revision: -1n,
  username: '',
  displayName: null,
  email: null,
  emailSource: 'person',
  role: 'user',
  totpId: null,
  identities: [],
  createdAt: '',
  bot: false,
  webhookBot: false,
  guest: false,
  tokens: [],
  shutOutAt: -1,
};

/** Revokes all tokens, since one may have been stolen. */
export const shutOut = (state: UserState): UserState => ({ ...state, tokens: [], shutOutAt: Number(state.revision) });

/** Why the account cannot be used, or null. */
export const notInUse = ({ status }: Pick<UserState, 'status'>): Rejection | null =>
  status === 'active' ? null : reject('NotAllowed', `This account is ${status}.`);

/** Whether the account is shut out, or has been since this revision: credentials issued until then are no longer valid. */
export const shutOutSince = ({ status, shutOutAt }: UserState, revision: bigint | number): boolean =>
  status !== 'active' || shutOutAt > revision;

export const administratorsOnly = reject('NotAllowed', 'Only administrators may do this.');
