import { type Decider, type Decision, streamName } from '../decider.js';
import { reject } from '../rejection.js';
import {
  type AccountCommand,
  type AccountEvent,
  abandon,
  change,
  deactivate,
  evolveAccount,
  readmitGuest,
  register,
} from './account.js';
import { confirmEmail, type EmailCommand, evolveEmail, giveUpEmail, type UserEmailChanged } from './email.js';
import { decideSignIn, evolveSignIn, type SignInCommand, type SignInEvent } from './sign-in.js';
import { initialState, notInUse, type UserState } from './state.js';
import { createToken, evolveTokens, revokeToken, type TokenCommand, type TokenEvent } from './tokens.js';

// Composes the rules of an account from its aspects, one file each. Each has its events, commands and decisions.

export {
  type AbandonUser,
  type ChangeUser,
  type DeactivateUser,
  guestUsername,
  isReservedUsername,
  type ReadmitGuest,
  type RegisterUser,
  sourceAtRegistration,
  takesAdministratorAway,
  type UserAbandoned,
  type UserChanged,
  type UserDeactivated,
  type UserOrigin,
  type UserReactivated,
  type UserRegistered,
  type UserReinstated,
  type UserRoleChanged,
  type UserSuspended,
  webhookBotUsername,
} from './account.js';
export {
  type ConfirmEmail,
  type EmailChangeWay,
  type GiveUpEmail,
  storedEmail,
  type UserEmailChanged,
} from './email.js';
export type {
  ChangePassword,
  DisableTotp,
  EnableTotp,
  IdentityLinked,
  IssuePasswordReset,
  IssueRecoveryCodes,
  LinkIdentity,
  LockOutSignIn,
  PasswordChanged,
  PasswordChangeWay,
  PasswordResetIssued,
  RecoveryCodesIssued,
  RecoveryCodeUsed,
  RevokeSessions,
  SessionEndCause,
  SessionRevoked,
  SessionStarted,
  SignInLockedOut,
  SignInWay,
  StartSession,
  TotpDisabled,
  TotpEnabled,
  UseRecoveryCode,
} from './sign-in.js';
export { type EmailSource, notInUse, shutOutSince, type UserState } from './state.js';

export const userStream = (userId: string): string => streamName('user', userId);

export type UserEvent = AccountEvent | UserEmailChanged | SignInEvent | TokenEvent;

function evolve(before: UserState, event: UserEvent): UserState {
  const state = { ...before, revision: event.revision };
  switch (event.type) {
    case 'UserRegistered':
    case 'UserAbandoned':
    case 'UserChanged':
    case 'UserRoleChanged':
    case 'UserSuspended':
    case 'UserReinstated':
    case 'UserDeactivated':
    case 'UserReactivated':
      return evolveAccount(state, event);
    case 'UserEmailChanged':
      return evolveEmail(state, event);
    case 'TokenCreated':
    case 'TokenRevoked':
      return { ...state, tokens: evolveTokens(state.tokens, event) };
    default:
      // Also events of a later release, on which no rule here depends.
      return evolveSignIn(state, event);
  }
}

export type UserCommand = AccountCommand | EmailCommand | SignInCommand | TokenCommand;

function decide(command: UserCommand, state: UserState): Decision<UserEvent> {
  if (command.type === 'RegisterUser') return register(command, state);
  if (command.type === 'AbandonUser') return abandon(state);
  if (state.status === 'unborn' || state.status === 'abandoned') return reject('NotFound', 'There is no such user.');
  if (opensAccount.has(command.type)) {
    const refused = notInUse(state);
    if (refused) return refused;
  }
  switch (command.type) {
    case 'ChangeUser':
      return change(command, state);
    case 'DeactivateUser':
      return deactivate(command, state);
    case 'ReadmitGuest':
      return readmitGuest(state);
    case 'ConfirmEmail':
      return confirmEmail(command, state);
    case 'GiveUpEmail':
      return giveUpEmail(command, state);
    case 'CreateToken':
      return createToken(command, state);
    case 'RevokeToken':
      return revokeToken(command, state);
    default:
      return decideSignIn(command, state);
  }
}

/** Commands that create a new way to sign in. Only an active account may get one. */
const opensAccount: ReadonlySet<UserCommand['type']> = new Set([
  ...(['StartSession', 'CreateToken', 'ChangePassword', 'IssuePasswordReset'] as const),
  ...(['EnableTotp', 'IssueRecoveryCodes', 'LinkIdentity'] as const),
]);

export const user: Decider<UserState, UserCommand, UserEvent> = {
  category: 'user',
  stateVersion: 7,
  initialState,
  evolve,
  decide,
};
