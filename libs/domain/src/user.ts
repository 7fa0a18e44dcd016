import {
  type Actor,
  type Decider,
  type Decision,
  type Happened,
  happenedAt,
  type NewFact,
  type ServerRole,
  streamName,
} from './decider.js';
import { emailAddress, emailKey } from './email-address.js';
import { nameKey, nameProblem } from './names.js';
import { type Rejection, reject } from './rejection.js';
import type { Erasable } from './room.js';
import { limits } from './text.js';
import { createToken, revokeToken, type TokenCommand, type TokenEvent, type TokenHolder } from './user-tokens.js';

export const userStream = (userId: string): string => streamName('user', userId);

// Events ------------------------------------------------------------------------------------------------------------

/**
 * `origin`: registered by oneself, made at the first start, read from a log of another system or made up for trials, a bot of
 * an administrator, by single sign-on, a person for whom an administrator made it, or the bot of an incoming webhook.
 */
export type UserRegistered = Happened<
  'UserRegistered',
  {
    readonly username: string;
    readonly displayName: Erasable;
    readonly email: Erasable;
    readonly role: ServerRole;
    readonly origin: UserOrigin;
  }
>;
export type UserOrigin = 'registration' | 'setup' | 'import' | 'bot' | 'sso' | 'admin' | 'webhook';
/** A user id was given up before its account came to be, so that another may take the name. */
export type UserAbandoned = Happened<'UserAbandoned', Record<string, never>>;
export type UserChanged = Happened<'UserChanged', { readonly displayName: Erasable }>;
/**
 * How an account came to its address or lost it. `administrator`: set or cleared by one. `provider`: the person signed in with it at
 * the identity provider, which has verified it. `claimed`: somebody else did; the account had only named it.
 */
export type UserEmailChanged = Happened<'UserEmailChanged', { readonly email: Erasable; readonly how: EmailChangeWay }>;
export type EmailChangeWay = 'administrator' | 'provider' | 'claimed';
export type UserRoleChanged = Happened<'UserRoleChanged', { readonly role: ServerRole }>;
/** `reason` is absent where none was given, and in events from before it could be. */
export type UserSuspended = Happened<'UserSuspended', { readonly reason?: Erasable }>;
export type UserReinstated = Happened<'UserReinstated', Record<string, never>>;
/** The account can no longer be used, by the wish of its holder or of an administrator. Its name stays taken. */
export type UserDeactivated = Happened<'UserDeactivated', Record<string, never>>;
export type UserReactivated = Happened<'UserReactivated', Record<string, never>>;
/** `how` is absent in events of before it was recorded. */
export type SessionStarted = Happened<'SessionStarted', { readonly sessionId: string; readonly how?: SignInWay }>;
export type SignInWay = 'registration' | 'password' | 'sso';
export type SessionRevoked = Happened<
  'SessionRevoked',
  { readonly sessionId: string; readonly cause: SessionEndCause }
>;
/**
 * Why a session ended: signed out; an old refresh token was used again; ended from another session or by an administrator;
 * another password, second factor or identity; too old or unused for too long.
 */
export type SessionEndCause = 'logout' | 'reuse' | 'revoked' | 'password' | 'totp' | 'identity' | 'expired';
/** `how`: with the old one, with a reset by an administrator, or taken away because an identity was linked. */
export type PasswordChanged = Happened<'PasswordChanged', { readonly how: PasswordChangeWay }>;
export type PasswordChangeWay = 'change' | 'reset' | 'removed';
export type PasswordResetIssued = Happened<'PasswordResetIssued', Record<string, never>>;
/** `totpId` names the secret in the vault. */
export type TotpEnabled = Happened<'TotpEnabled', { readonly totpId: string }>;
export type TotpDisabled = Happened<'TotpDisabled', Record<string, never>>;
export type RecoveryCodesIssued = Happened<'RecoveryCodesIssued', Record<string, never>>;
export type RecoveryCodeUsed = Happened<'RecoveryCodeUsed', Record<string, never>>;
/** `identityId` names an account at an identity provider; whose and where is in the vault. */
export type IdentityLinked = Happened<'IdentityLinked', { readonly identityId: string }>;
/** Somebody tried so many wrong passwords that signing in has to wait. One event for each time this begins. */
export type SignInLockedOut = Happened<'SignInLockedOut', Record<string, never>>;

export type UserEvent =
  | UserRegistered
  | UserAbandoned
  | UserChanged
  | UserEmailChanged
  | UserRoleChanged
  | UserSuspended
  | UserReinstated
  | UserDeactivated
  | UserReactivated
  | SessionStarted
  | SessionRevoked
  | PasswordChanged
  | PasswordResetIssued
  | TotpEnabled
  | TotpDisabled
  | RecoveryCodesIssued
  | RecoveryCodeUsed
  | IdentityLinked
  | SignInLockedOut
  | TokenEvent;

// State -------------------------------------------------------------------------------------------------------------

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
  /** Names the secret of the second factor in use; null: none. */
  readonly totpId: string | null;
  /** Names the identities at providers that open the account. */
  readonly identities: readonly string[];
  readonly createdAt: string;
  /** The bot of an incoming webhook, which ends with it: it has no tokens and no role, and never comes back. */
  readonly webhookBot: boolean;
  /**
   * Revision of the last event that shut the account out (suspended, deactivated, taken over), or -1. Whatever was issued to
   * open the account at an earlier revision opens it no more.
   */
  readonly shutOutAt: number;
}

/**
 * Who vouches for an account's address, or for its having none: nobody but the person who named it, an administrator, or an
 * identity provider that has verified it.
 */
export type EmailSource = 'person' | 'administrator' | 'provider';

const initialState: UserState = {
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
  tokens: [],
  shutOutAt: -1,
};

function evolve(before: UserState, event: UserEvent): UserState {
  const state = { ...before, revision: event.revision };
  switch (event.type) {
    case 'UserRegistered': {
      const { username, displayName, email, role, origin } = event.data;
      const emailSource = sourceAtRegistration(origin);
      const webhookBot = origin === 'webhook';
      const bot = webhookBot || origin === 'bot';
      const account = { username, displayName, email: storedEmail(email), emailSource, role, bot, webhookBot };
      return { ...state, ...account, status: 'active', createdAt: happenedAt(event) };
    }
    case 'UserEmailChanged': {
      const { email, how } = event.data;
      return { ...state, email: storedEmail(email), emailSource: how === 'claimed' ? 'person' : how };
    }
    case 'UserAbandoned':
      return { ...state, status: 'abandoned' };
    case 'UserChanged':
      return { ...state, displayName: event.data.displayName };
    case 'UserRoleChanged':
      return { ...state, role: event.data.role };
    case 'UserSuspended':
      return {
        ...shutOut(state),
        suspended: true,
        status: state.status === 'deactivated' ? 'deactivated' : 'suspended',
      };
    case 'UserReinstated':
      return { ...state, suspended: false, status: state.status === 'deactivated' ? 'deactivated' : 'active' };
    case 'UserDeactivated':
      return { ...shutOut(state), status: 'deactivated' };
    case 'UserReactivated':
      return { ...state, status: state.suspended ? 'suspended' : 'active' };
    case 'PasswordChanged':
      // It is removed where somebody else may have made the account under this address, and tokens with it.
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
    case 'TokenCreated':
      return { ...state, tokens: [...state.tokens, event.data.tokenId] };
    case 'TokenRevoked':
      return { ...state, tokens: state.tokens.filter((id) => id !== event.data.tokenId) };
    default:
      // Sessions leave no trace in the state; they would let it grow with every sign-in.
      return state;
  }
}

/** A thief may hold one of the tokens, so none of them comes back. */
const shutOut = (state: UserState): UserState => ({ ...state, tokens: [], shutOutAt: Number(state.revision) });
/** Addresses of before they were checked come to the form of today, if they are addresses at all. */
export const storedEmail = (email: Erasable): Erasable => email && (emailAddress(email) ?? email);

export function sourceAtRegistration(origin: UserOrigin): EmailSource {
  return origin === 'admin' ? 'administrator' : origin === 'sso' ? 'provider' : 'person';
}

// Commands ----------------------------------------------------------------------------------------------------------

interface By {
  /** Null for the service itself: registration, the first start, imports. */
  readonly actor: Actor | null;
}
export type RegisterUser = By & {
  readonly type: 'RegisterUser';
  readonly username: string;
  readonly displayName: string;
  readonly email: string | null;
  readonly role: ServerRole;
  readonly origin: UserOrigin;
};
export type AbandonUser = By & { readonly type: 'AbandonUser' };
/** One's own display name, or by an administrator anything of anyone's. */
export type ChangeUser = {
  readonly type: 'ChangeUser';
  readonly actor: Actor;
  readonly userId: string;
  readonly displayName?: string;
  /** Null clears the address. */
  readonly email?: string | null;
  readonly role?: ServerRole;
  readonly suspended?: boolean;
  /** Why somebody is suspended. */
  readonly reason?: string | null;
  readonly deactivated?: boolean;
  /** Whether it is certain that another administrator remains; needed where one is taken away. */
  readonly othersRemain?: boolean;
};
/** The holder gives the account up, or the service (null) ends the bot of a webhook. */
export type DeactivateUser = By & {
  readonly type: 'DeactivateUser';
  readonly othersRemain?: boolean;
};
/** The person signed in at an identity provider, which has verified this address. What an administrator said stays. */
export type ConfirmEmail = By & { readonly type: 'ConfirmEmail'; readonly email: string };
/** Somebody else has shown that this address is theirs. An account that only named it loses it. */
export type GiveUpEmail = By & { readonly type: 'GiveUpEmail'; readonly email: string };
export type StartSession = By & { readonly type: 'StartSession'; readonly sessionId: string; readonly how: SignInWay };
export type RevokeSessions = By & {
  readonly type: 'RevokeSessions';
  readonly sessionIds: readonly string[];
  readonly cause: SessionEndCause;
};
/**
 * `sessionIds` are the sessions that end with it, here and below. `allowedAt`: revision of the account at which its holder was
 * recognized or the reset was issued; refused if the account has been shut out since.
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
/** Administrators may do it for others, who have lost what they would need. */
export type DisableTotp = { readonly type: 'DisableTotp'; readonly actor: Actor; readonly userId: string };
export type IssueRecoveryCodes = By & { readonly type: 'IssueRecoveryCodes' };
export type UseRecoveryCode = By & { readonly type: 'UseRecoveryCode' };
/**
 * `takesOver`: the account was there before, and who had it so far may be another than who has the identity. So whatever opened
 * it until now opens it no more.
 */
export type LinkIdentity = By & {
  readonly type: 'LinkIdentity';
  readonly identityId: string;
  readonly takesOver: boolean;
  readonly sessionIds: readonly string[];
};
export type LockOutSignIn = By & { readonly type: 'LockOutSignIn' };

export type UserCommand =
  | RegisterUser
  | AbandonUser
  | ChangeUser
  | DeactivateUser
  | ConfirmEmail
  | GiveUpEmail
  | StartSession
  | RevokeSessions
  | LockOutSignIn
  | ChangePassword
  | IssuePasswordReset
  | EnableTotp
  | DisableTotp
  | IssueRecoveryCodes
  | UseRecoveryCode
  | LinkIdentity
  | TokenCommand;

// Decisions ---------------------------------------------------------------------------------------------------------

type UserDecision = Decision<UserEvent>;

function decide(command: UserCommand, state: UserState): UserDecision {
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
    case 'ConfirmEmail':
      return confirmEmail(command, state);
    case 'GiveUpEmail':
      if (state.emailSource !== 'person' || !sameEmail(command.email, state.email)) return accept();
      return accept({ type: 'UserEmailChanged', data: { email: null, how: 'claimed' } });
    case 'StartSession': {
      if (state.bot) return reject('NotAllowed', 'Bots do not sign in; they have tokens.');
      return accept({ type: 'SessionStarted', data: { sessionId: command.sessionId, how: command.how } });
    }
    case 'RevokeSessions':
      return accept(...revoked(command.sessionIds, command.cause));
    case 'ChangePassword':
      if (shutOutSince(state, command.allowedAt ?? state.revision))
        return reject('NotAllowed', 'This account has been shut out since.');
      return accept(
        { type: 'PasswordChanged', data: { how: command.how } },
        ...revoked(command.sessionIds, 'password'),
      );
    case 'IssuePasswordReset':
      if (command.actor.role !== 'admin') return administratorsOnly;
      return accept({ type: 'PasswordResetIssued', data: {} });
    case 'EnableTotp': {
      const { totpId, sessionIds } = command;
      if (state.totpId === totpId) return accept();
      if (state.totpId !== null) return reject('Conflict', 'There is a second factor already.');
      return accept({ type: 'TotpEnabled', data: { totpId } }, ...revoked(sessionIds, 'totp'));
    }
    case 'DisableTotp':
      if (command.actor.role !== 'admin' && command.actor.id !== command.userId) return administratorsOnly;
      return state.totpId === null ? accept() : accept({ type: 'TotpDisabled', data: {} });
    case 'IssueRecoveryCodes':
    case 'UseRecoveryCode': {
      if (state.totpId === null) return reject('Conflict', 'There is no second factor.');
      const type = command.type === 'UseRecoveryCode' ? 'RecoveryCodeUsed' : 'RecoveryCodesIssued';
      return accept({ type, data: {} });
    }
    case 'LinkIdentity':
      return link(command, state);
    case 'CreateToken':
      return createToken(command, state);
    case 'RevokeToken':
      return revokeToken(command, state);
    case 'LockOutSignIn':
      return accept({ type: 'SignInLockedOut', data: {} });
  }
}

const accept = (...events: NewFact<UserEvent>[]): UserDecision => ({ events });

/** Commands after which something opens the account that did not before. Only an account in use may get such a thing. */
const opensAccount: ReadonlySet<UserCommand['type']> = new Set([
  ...(['StartSession', 'CreateToken', 'ChangePassword', 'IssuePasswordReset'] as const),
  ...(['EnableTotp', 'IssueRecoveryCodes', 'LinkIdentity'] as const),
]);

/** Why nothing new may open the account, or null. */
export const notInUse = ({ status }: Pick<UserState, 'status'>): Rejection | null =>
  status === 'active' ? null : reject('NotAllowed', `This account is ${status}.`);

/** Whether the account is shut out, or has been since this revision: what was issued for it until then opens it no more. */
export const shutOutSince = ({ status, shutOutAt }: UserState, revision: bigint | number): boolean =>
  status !== 'active' || shutOutAt > revision;

/** Usernames of the bots of incoming webhooks begin with it, and no others do, but for some made before this was so. */
const WEBHOOK_BOT_PREFIX = 'hook-';

/** The username of a webhook's bot. The end of its id, a UUIDv7, is random. */
export const webhookBotUsername = (botId: string): string => `${WEBHOOK_BOT_PREFIX}${botId.slice(-12)}`;

/** Whether no person and no other bot may have this username. */
export const isReservedUsername = (username: string): boolean => nameKey(username).startsWith(WEBHOOK_BOT_PREFIX);
const administratorsOnly = reject('NotAllowed', 'Only administrators may do this.');
const noAddress = reject('Invalid', 'This is not an e-mail address that mail accepts.');
const lastAdministrator = reject('Conflict', 'This is the last administrator; make another one first.');

const revoked = (sessionIds: readonly string[], cause: SessionEndCause): NewFact<UserEvent>[] =>
  sessionIds.map((sessionId) => ({ type: 'SessionRevoked', data: { sessionId, cause } }));

function register(command: RegisterUser, state: UserState): UserDecision {
  const { username, displayName, email, role, origin } = command;
  if (state.status === 'abandoned') return reject('Conflict', 'This registration took too long. Try again.');
  if (state.status !== 'unborn') {
    return state.username === username ? accept() : reject('Conflict', 'An account with this id exists already.');
  }
  // Accounts of imports stand for names of other systems, and nobody signs in to them.
  if (origin !== 'import' && isReservedUsername(username) !== (origin === 'webhook'))
    return reject('NameTaken', `Only the bots of webhooks have usernames that begin with ${WEBHOOK_BOT_PREFIX}`);
  const problem = nameProblem(displayName, limits.displayName);
  if (problem) return reject('Invalid', `The display name ${problem}.`);
  if (isNoAddress(email)) return noAddress;
  return accept({ type: 'UserRegistered', data: { username, displayName, email: storedEmail(email), role, origin } });
}

function abandon(state: UserState): UserDecision {
  if (state.status === 'abandoned') return accept();
  if (state.status !== 'unborn') return reject('Conflict', 'The account exists.');
  return accept({ type: 'UserAbandoned', data: {} });
}

function change(command: ChangeUser, state: UserState): UserDecision {
  const { actor, userId, displayName, email, role, suspended, reason, deactivated } = command;
  const more = email !== undefined || role !== undefined || suspended !== undefined || deactivated !== undefined;
  if (actor.role !== 'admin' && (actor.id !== userId || more)) return administratorsOnly;
  const events: NewFact<UserEvent>[] = [];
  if (displayName !== undefined && displayName !== state.displayName) {
    const problem = nameProblem(displayName, limits.displayName);
    if (problem) return reject('Invalid', `The display name ${problem}.`);
    events.push({ type: 'UserChanged', data: { displayName } });
  }
  if (email !== undefined) {
    if (isNoAddress(email)) return noAddress;
    const address = storedEmail(email);
    // The same address is another thing once an administrator vouches for it.
    if (address !== state.email || state.emailSource !== 'administrator')
      events.push({ type: 'UserEmailChanged', data: { email: address, how: 'administrator' } });
  }
  if (role !== undefined && role !== state.role) {
    if (actor.id === userId) return reject('Conflict', 'Administrators cannot change their own role.');
    if (state.webhookBot) return reject('Conflict', 'The bot of a webhook can have no role on the server.');
    events.push({ type: 'UserRoleChanged', data: { role } });
  }
  if (suspended !== undefined && suspended !== state.suspended) {
    if (actor.id === userId) return reject('Conflict', 'Administrators cannot suspend themselves.');
    if (suspended) events.push({ type: 'UserSuspended', data: reason ? { reason } : {} });
    else events.push({ type: 'UserReinstated', data: {} });
  }
  if (deactivated !== undefined && deactivated !== (state.status === 'deactivated')) {
    if (actor.id === userId) return reject('Conflict', 'Deactivate your own account with your password.');
    if (state.webhookBot && !deactivated)
      return reject('Conflict', 'The bot of a webhook does not come back; add another webhook.');
    events.push({ type: deactivated ? 'UserDeactivated' : 'UserReactivated', data: {} });
  }
  if (takesAdministratorAway(command, state) && !command.othersRemain) return lastAdministrator;
  return { events };
}

/** Whether there would be an active administrator less. */
export function takesAdministratorAway(
  wish: Pick<ChangeUser, 'role' | 'suspended' | 'deactivated'>,
  { status, role }: UserState,
): boolean {
  if (status !== 'active' || role !== 'admin') return false;
  return (wish.role ?? 'admin') !== 'admin' || wish.suspended === true || wish.deactivated === true;
}

function deactivate({ othersRemain }: DeactivateUser, state: UserState): UserDecision {
  if (state.status === 'deactivated') return accept();
  if (takesAdministratorAway({ deactivated: true }, state) && !othersRemain) return lastAdministrator;
  return accept({ type: 'UserDeactivated', data: {} });
}

function confirmEmail({ email }: ConfirmEmail, state: UserState): UserDecision {
  if (isNoAddress(email)) return noAddress;
  if (state.emailSource === 'administrator') return accept();
  if (state.emailSource === 'provider' && sameEmail(email, state.email)) return accept();
  return accept({ type: 'UserEmailChanged', data: { email: storedEmail(email), how: 'provider' } });
}

const isNoAddress = (email: string | null): boolean => email !== null && emailAddress(email) === null;

const sameEmail = (email: string, other: Erasable): boolean => other !== null && emailKey(email) === emailKey(other);

function link({ identityId, takesOver, sessionIds }: LinkIdentity, state: UserState): UserDecision {
  if (state.identities.includes(identityId)) return accept();
  const linked: NewFact<UserEvent> = { type: 'IdentityLinked', data: { identityId } };
  if (!takesOver) return accept(linked);
  return accept(
    linked,
    { type: 'PasswordChanged', data: { how: 'removed' } },
    ...(state.totpId === null ? [] : [{ type: 'TotpDisabled', data: {} } as const]),
    ...revoked(sessionIds, 'identity'),
  );
}

export const user: Decider<UserState, UserCommand, UserEvent> = { category: 'user', initialState, evolve, decide };
