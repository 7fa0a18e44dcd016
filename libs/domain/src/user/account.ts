import {
  type Actor,
  type Decision,
  type Erasable,
  type Happened,
  happenedAt,
  type NewFact,
  type ServerRole,
} from '../decider.js';
import { nameKey, nameProblem } from '../names.js';
import { reject } from '../rejection.js';
import { limits } from '../text.js';
import { isNoAddress, noAddress, storedEmail, type UserEmailChanged } from './email.js';
import { administratorsOnly, type EmailSource, shutOut, type UserState } from './state.js';

// The beginning and end of an account, its names and its role.

// Events ------------------------------------------------------------------------------------------------------------

/**
 * `origin`: the person registered; created at the first start; imported from another system or generated for trials; a bot
 * created by an administrator; single sign-on; created by an administrator for a person; the bot of an incoming webhook;
 * a guest with only a name, at the door of an older chat system.
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
export type UserOrigin = 'registration' | 'setup' | 'import' | 'bot' | 'sso' | 'admin' | 'webhook' | 'guest';
/** The user id was abandoned before the account was created, so that another may take the name. */
export type UserAbandoned = Happened<'UserAbandoned', Record<string, never>>;
export type UserChanged = Happened<'UserChanged', { readonly displayName: Erasable }>;
export type UserRoleChanged = Happened<'UserRoleChanged', { readonly role: ServerRole }>;
/** `reason` is absent if none was given, and in events from before it could be. */
export type UserSuspended = Happened<'UserSuspended', { readonly reason?: Erasable }>;
export type UserReinstated = Happened<'UserReinstated', Record<string, never>>;
/** The account can no longer be used, at the request of its holder or an administrator. Its name stays taken. */
export type UserDeactivated = Happened<'UserDeactivated', Record<string, never>>;
export type UserReactivated = Happened<'UserReactivated', Record<string, never>>;

export type AccountEvent =
  | UserRegistered
  | UserAbandoned
  | UserChanged
  | UserRoleChanged
  | UserSuspended
  | UserReinstated
  | UserDeactivated
  | UserReactivated;

export function evolveAccount(state: UserState, event: AccountEvent): UserState {
  switch (event.type) {
    case 'UserRegistered': {
      const { username, displayName, email, role, origin } = event.data;
      const emailSource = sourceAtRegistration(origin);
      const webhookBot = origin === 'webhook';
      const bot = webhookBot || origin === 'bot';
      const guest = origin === 'guest';
      const account = { username, displayName, email: storedEmail(email), emailSource, role, bot, webhookBot, guest };
      return { ...state, ...account, status: 'active', createdAt: happenedAt(event) };
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
  }
}

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
/** People may change their own display name; administrators may change everything. */
export type ChangeUser = {
  readonly type: 'ChangeUser';
  readonly actor: Actor;
  readonly userId: string;
  readonly displayName?: string;
  /** Null clears the address. */
  readonly email?: string | null;
  readonly role?: ServerRole;
  readonly suspended?: boolean;
  /** Why the account is suspended. */
  readonly reason?: string | null;
  readonly deactivated?: boolean;
  /** Whether another active administrator is certain to remain; required when the change removes one. */
  readonly othersRemain?: boolean;
};
/** By the holder, or by the service (null) for the bot of a webhook. */
export type DeactivateUser = By & {
  readonly type: 'DeactivateUser';
  readonly othersRemain?: boolean;
};

/** By the service, when someone uses the name of a guest. */
export type ReadmitGuest = By & { readonly type: 'ReadmitGuest' };

export type AccountCommand = RegisterUser | AbandonUser | ChangeUser | DeactivateUser | ReadmitGuest;

// Decisions ---------------------------------------------------------------------------------------------------------

type AccountDecision = Decision<AccountEvent | UserEmailChanged>;

const accept = (...events: NewFact<AccountEvent>[]): AccountDecision => ({ events });

const lastAdministrator = reject('Conflict', 'This is the last administrator; make another one first.');

export function register(command: RegisterUser, state: UserState): AccountDecision {
  const { username, displayName, email, role, origin } = command;
  if (state.status === 'abandoned') return reject('Conflict', 'The registration took too long. Try again.');
  if (state.status !== 'unborn') {
    return state.username === username ? accept() : reject('Conflict', 'An account with this id already exists.');
  }
  // Imported accounts keep their names from other systems, and no one signs in to them.
  if (origin !== 'import' && reservedFor(username) !== (origin === 'webhook' || origin === 'guest' ? origin : null))
    return reject(
      'NameTaken',
      `Usernames that begin with ${reserved.webhook} or ${reserved.guest} are reserved for bots of webhooks and guests.`,
    );
  const problem = nameProblem(displayName, limits.displayName);
  if (problem) return reject('Invalid', `The display name ${problem}.`);
  if (isNoAddress(email)) return noAddress;
  return accept({ type: 'UserRegistered', data: { username, displayName, email: storedEmail(email), role, origin } });
}

export function abandon(state: UserState): AccountDecision {
  if (state.status === 'abandoned') return accept();
  if (state.status !== 'unborn') return reject('Conflict', 'The account exists.');
  return accept({ type: 'UserAbandoned', data: {} });
}

export function change(command: ChangeUser, state: UserState): AccountDecision {
  const { actor, userId, displayName, email, role, suspended, reason, deactivated } = command;
  const more = email !== undefined || role !== undefined || suspended !== undefined || deactivated !== undefined;
  if (actor.role !== 'admin' && (actor.id !== userId || more)) return administratorsOnly;
  const events: NewFact<AccountEvent | UserEmailChanged>[] = [];
  if (displayName !== undefined && displayName !== state.displayName) {
    const problem = nameProblem(displayName, limits.displayName);
    if (problem) return reject('Invalid', `The display name ${problem}.`);
    events.push({ type: 'UserChanged', data: { displayName } });
  }
  if (email !== undefined) {
    if (isNoAddress(email)) return noAddress;
    const address = storedEmail(email);
    // Confirming the same address is a change, too.
    if (address !== state.email || state.emailSource !== 'administrator')
      events.push({ type: 'UserEmailChanged', data: { email: address, how: 'administrator' } });
  }
  if (role !== undefined && role !== state.role) {
    if (actor.id === userId) return reject('Conflict', 'Administrators cannot change their own role.');
    if (state.webhookBot) return reject('Conflict', 'The bot of a webhook cannot have a role on the server.');
    if (state.guest) return reject('Conflict', 'A guest cannot have a role on the server.');
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
      return reject('Conflict', 'The bot of a webhook cannot be reactivated; add another webhook.');
    events.push({ type: deactivated ? 'UserDeactivated' : 'UserReactivated', data: {} });
  }
  if (takesAdministratorAway(command, state) && !command.othersRemain) return lastAdministrator;
  return { events };
}

/** Whether there would be one active administrator fewer. */
export function takesAdministratorAway(
  change: Pick<ChangeUser, 'role' | 'suspended' | 'deactivated'>,
  { status, role }: UserState,
): boolean {
  if (status !== 'active' || role !== 'admin') return false;
  return (change.role ?? 'admin') !== 'admin' || change.suspended === true || change.deactivated === true;
}

/** Guests unused for long are deactivated, and reactivated like this; suspended ones are not. */
export function readmitGuest(state: UserState): AccountDecision {
  if (!state.guest) return reject('Conflict', 'This is not a guest.');
  if (state.suspended) return reject('NotAllowed', 'This account is suspended.');
  return state.status === 'deactivated' ? accept({ type: 'UserReactivated', data: {} }) : accept();
}

export function deactivate({ othersRemain }: DeactivateUser, state: UserState): AccountDecision {
  if (state.status === 'deactivated') return accept();
  if (takesAdministratorAway({ deactivated: true }, state) && !othersRemain) return lastAdministrator;
  return accept({ type: 'UserDeactivated', data: {} });
}

// Generated usernames ---------------------------------------------------------------------------------------

/** Prefixes of generated usernames; some older accounts of people may have them too. */
const reserved = { webhook: 'hook-', guest: 'guest-' } as const;

/** The username of a webhook's bot. The end of its id, a UUIDv7, is random. */
export const webhookBotUsername = (botId: string): string => `${reserved.webhook}${botId.slice(-12)}`;

/** The username of a guest. The end of its id is that of a hash. */
export const guestUsername = (userId: string): string => `${reserved.guest}${userId.slice(-12)}`;

function reservedFor(username: string): keyof typeof reserved | null {
  const key = nameKey(username);
  return key.startsWith(reserved.webhook) ? 'webhook' : key.startsWith(reserved.guest) ? 'guest' : null;
}

/** Whether this username is reserved for such accounts. */
export const isReservedUsername = (username: string): boolean => reservedFor(username) !== null;
