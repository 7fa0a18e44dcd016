import type { Actor, Decision, Happened, NewFact } from '../decider.js';
import { reject } from '../rejection.js';
import { administratorsOnly, shutOut, shutOutSince, type UserState } from './state.js';

// Sessions, passwords, second factors, and identities at providers.

// Events ------------------------------------------------------------------------------------------------------------

/** `how` is absent in events from before it was recorded. */
export type SessionStarted = Happened<'SessionStarted', { readonly sessionId: string; readonly how?: SignInWay }>;
export type SignInWay = 'registration' | 'password' | 'sso';
export type SessionRevoked = Happened<
  'SessionRevoked',
  { readonly sessionId: string; readonly cause: SessionEndCause }
>;
/**
 * Why a session ended: signed out; an old refresh token was used again; ended from another session or by an administrator;
 * the password, second factor or identity changed; too old or unused for too long.
 */
export type SessionEndCause = 'logout' | 'reuse' | 'revoked' | 'password' | 'totp' | 'identity' | 'expired';
/** `how`: with the old one, with a reset by an administrator, or removed because an identity was linked. */
export type PasswordChanged = Happened<'PasswordChanged', { readonly how: PasswordChangeWay }>;
export type PasswordChangeWay = 'change' | 'reset' | 'removed';
export type PasswordResetIssued = Happened<'PasswordResetIssued', Record<string, never>>;
/** `totpId` names the secret in the vault. */
export type TotpEnabled = Happened<'TotpEnabled', { readonly totpId: string }>;
export type TotpDisabled = Happened<'TotpDisabled', Record<string, never>>;
export type RecoveryCodesIssued = Happened<'RecoveryCodesIssued', Record<string, never>>;
export type RecoveryCodeUsed = Happened<'RecoveryCodeUsed', Record<string, never>>;
/** `identityId` names an account at an identity provider; the vault knows which one. */
export type IdentityLinked = Happened<'IdentityLinked', { readonly identityId: string }>;
/** After many wrong passwords, signing in is locked for a while. One event for each lockout. */
export type SignInLockedOut = Happened<'SignInLockedOut', Record<string, never>>;

export type SignInEvent =
  | SessionStarted
  | SessionRevoked
  | PasswordChanged
  | PasswordResetIssued
  | TotpEnabled
  | TotpDisabled
  | RecoveryCodesIssued
  | RecoveryCodeUsed
  | IdentityLinked
  | SignInLockedOut;

/** Sessions and codes leave no trace in the state, which would grow with every sign-in. */
export function evolveSignIn(state: UserState, event: SignInEvent): UserState {
  switch (event.type) {
    case 'PasswordChanged':
      // It is removed if someone else may have created the account under this address, and the tokens with it.
      return event.data.how === 'removed' ? shutOut(state) : state;
    case 'IdentityLinked': {
      // Accounts that had only named their address used to be linked once the provider had verified it.
      const emailSource = state.emailSource === 'person' ? 'provider' : state.emailSource;
      return { ...state, emailSource, identities: [...state.identities, event.data.identityId] };
    }
    case 'TotpEnabled':
      return { ...state, totpId: event.data.totpId };
    case 'TotpDisabled':
      return { ...state, totpId: null };
    default:
      return state;
  }
}

// Commands ----------------------------------------------------------------------------------------------------------

interface By {
  /** Null for the service itself. */
  readonly actor: Actor | null;
}

export type StartSession = By & { readonly type: 'StartSession'; readonly sessionId: string; readonly how: SignInWay };
export type RevokeSessions = By & {
  readonly type: 'RevokeSessions';
  readonly sessionIds: readonly string[];
  readonly cause: SessionEndCause;
};
/**
 * `sessionIds` are the sessions that end with it, here and below. `allowedAt`: revision of the account at which its holder was
 * recognized or the reset was issued; rejected if the account has been shut out since.
 */
export type ChangePassword = By & {
  readonly type: 'ChangePassword';
  readonly how: 'change' | 'reset';
  readonly allowedAt?: bigint | number;
  readonly sessionIds: readonly string[];
};
export type IssuePasswordReset = { readonly type: 'IssuePasswordReset'; readonly actor: Actor };
export type EnableTotp = By & {
  readonly type: 'EnableTotp';
  readonly totpId: string;
  readonly sessionIds: readonly string[];
};
/** Administrators may do it for people who have lost their second factor. */
export type DisableTotp = { readonly type: 'DisableTotp'; readonly actor: Actor; readonly userId: string };
export type IssueRecoveryCodes = By & { readonly type: 'IssueRecoveryCodes' };
export type UseRecoveryCode = By & { readonly type: 'UseRecoveryCode' };
/**
 * `takesOver`: the account existed before, and its previous holder may not be the person with the identity. So all other
 * ways to sign in to it are removed.
 */
export type LinkIdentity = By & {
  readonly type: 'LinkIdentity';
  readonly identityId: string;
  readonly takesOver: boolean;
  readonly sessionIds: readonly string[];
};
export type LockOutSignIn = By & { readonly type: 'LockOutSignIn' };

export type SignInCommand =
  | StartSession
  | RevokeSessions
  | ChangePassword
  | IssuePasswordReset
  | EnableTotp
  | DisableTotp
  | IssueRecoveryCodes
  | UseRecoveryCode
  | LinkIdentity
  | LockOutSignIn;

// Decisions ---------------------------------------------------------------------------------------------------------

type SignInDecision = Decision<SignInEvent>;

const guestsHaveNone = reject('NotAllowed', 'Guests have no password; they come under a bare name.');

const accept = (...events: NewFact<SignInEvent>[]): SignInDecision => ({ events });

export function decideSignIn(command: SignInCommand, state: UserState): SignInDecision {
  switch (command.type) {
    case 'StartSession': {
      if (state.bot) return reject('NotAllowed', 'Bots do not sign in; they use tokens.');
      if (state.guest) return guestsHaveNone;
      return accept({ type: 'SessionStarted', data: { sessionId: command.sessionId, how: command.how } });
    }
    case 'RevokeSessions':
      return accept(...revoked(command.sessionIds, command.cause));
    case 'ChangePassword':
      return changePassword(command, state);
    case 'IssuePasswordReset':
      if (command.actor.role !== 'admin') return administratorsOnly;
      if (state.guest) return guestsHaveNone;
      return accept({ type: 'PasswordResetIssued', data: {} });
    case 'EnableTotp':
      return enableTotp(command, state);
    case 'DisableTotp':
      if (command.actor.role !== 'admin' && command.actor.id !== command.userId) return administratorsOnly;
      return state.totpId === null ? accept() : accept({ type: 'TotpDisabled', data: {} });
    case 'IssueRecoveryCodes':
      return state.totpId === null ? noSecondFactor : accept({ type: 'RecoveryCodesIssued', data: {} });
    case 'UseRecoveryCode':
      return state.totpId === null ? noSecondFactor : accept({ type: 'RecoveryCodeUsed', data: {} });
    case 'LinkIdentity':
      return link(command, state);
    case 'LockOutSignIn':
      return accept({ type: 'SignInLockedOut', data: {} });
  }
}

const noSecondFactor = reject('Conflict', 'The account has no second factor.');

const revoked = (sessionIds: readonly string[], cause: SessionEndCause): NewFact<SessionRevoked>[] =>
  sessionIds.map((sessionId) => ({ type: 'SessionRevoked', data: { sessionId, cause } }));

function changePassword({ how, allowedAt, sessionIds }: ChangePassword, state: UserState): SignInDecision {
  if (shutOutSince(state, allowedAt ?? state.revision))
    return reject('NotAllowed', 'The account has been suspended, deactivated or taken over since then.');
  return accept({ type: 'PasswordChanged', data: { how } }, ...revoked(sessionIds, 'password'));
}

function enableTotp({ totpId, sessionIds }: EnableTotp, state: UserState): SignInDecision {
  if (state.totpId === totpId) return accept();
  if (state.totpId !== null) return reject('Conflict', 'The account already has a second factor.');
  return accept({ type: 'TotpEnabled', data: { totpId } }, ...revoked(sessionIds, 'totp'));
}

function link({ identityId, takesOver, sessionIds }: LinkIdentity, state: UserState): SignInDecision {
  if (state.identities.includes(identityId)) return accept();
  const linked = { type: 'IdentityLinked', data: { identityId } } as const;
  if (!takesOver) return accept(linked);
  return accept(
    linked,
    { type: 'PasswordChanged', data: { how: 'removed' } },
    ...(state.totpId === null ? [] : [{ type: 'TotpDisabled', data: {} } as const]),
    ...revoked(sessionIds, 'identity'),
  );
}
