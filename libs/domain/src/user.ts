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
import { reject } from './rejection.js';
import type { Erasable } from './room.js';
import { limits, nameProblem } from './text.js';
import { createToken, revokeToken, type TokenCommand, type TokenEvent, type TokenHolder } from './user-tokens.js';

export const userStream = (userId: string): string => streamName('user', userId);

// Events ------------------------------------------------------------------------------------------------------------

/** `origin`: registered by oneself, made at the first start, read from a log of another system, or a bot of an administrator. */
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
export type UserOrigin = 'registration' | 'setup' | 'import' | 'bot';
/** A user id was given up before its account came to be, so that another may take the name. */
export type UserAbandoned = Happened<'UserAbandoned', Record<string, never>>;
export type UserChanged = Happened<'UserChanged', { readonly displayName: Erasable }>;
export type UserRoleChanged = Happened<'UserRoleChanged', { readonly role: ServerRole }>;
export type UserSuspended = Happened<'UserSuspended', Record<string, never>>;
export type UserReinstated = Happened<'UserReinstated', Record<string, never>>;
export type SessionStarted = Happened<'SessionStarted', { readonly sessionId: string }>;
export type SessionRevoked = Happened<
  'SessionRevoked',
  { readonly sessionId: string; readonly cause: 'logout' | 'reuse' }
>;
/** Somebody tried so many wrong passwords that signing in has to wait. One event for each time this begins. */
export type SignInLockedOut = Happened<'SignInLockedOut', Record<string, never>>;

export type UserEvent =
  | UserRegistered
  | UserAbandoned
  | UserChanged
  | UserRoleChanged
  | UserSuspended
  | UserReinstated
  | SessionStarted
  | SessionRevoked
  | SignInLockedOut
  | TokenEvent;

// State -------------------------------------------------------------------------------------------------------------

export interface UserState extends TokenHolder {
  readonly status: 'unborn' | 'abandoned' | 'active' | 'suspended';
  readonly revision: bigint;
  readonly username: string;
  readonly displayName: Erasable;
  readonly email: Erasable;
  readonly role: ServerRole;
  readonly createdAt: string;
}

const initialState: UserState = {
  status: 'unborn',
  revision: -1n,
  username: '',
  displayName: null,
  email: null,
  role: 'user',
  createdAt: '',
  bot: false,
  tokens: [],
};

function evolve(before: UserState, event: UserEvent): UserState {
  const state = { ...before, revision: event.revision };
  switch (event.type) {
    case 'UserRegistered': {
      const { username, displayName, email, role, origin } = event.data;
      const account = { username, displayName, email, role, bot: origin === 'bot' };
      return { ...state, ...account, status: 'active', createdAt: happenedAt(event) };
    }
    case 'UserAbandoned':
      return { ...state, status: 'abandoned' };
    case 'UserChanged':
      return { ...state, displayName: event.data.displayName };
    case 'UserRoleChanged':
      return { ...state, role: event.data.role };
    case 'UserSuspended':
      // A thief may hold one of the tokens, so none of them comes back.
      return { ...state, status: 'suspended', tokens: [] };
    case 'UserReinstated':
      return { ...state, status: 'active' };
    case 'TokenCreated':
      return { ...state, tokens: [...state.tokens, event.data.tokenId] };
    case 'TokenRevoked':
      return { ...state, tokens: state.tokens.filter((id) => id !== event.data.tokenId) };
    default:
      // Sessions leave no trace in the state; they would let it grow with every sign-in.
      return state;
  }
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
  readonly role?: ServerRole;
  readonly suspended?: boolean;
};
export type StartSession = By & { readonly type: 'StartSession'; readonly sessionId: string };
export type RevokeSession = By & {
  readonly type: 'RevokeSession';
  readonly sessionId: string;
  readonly cause: 'logout' | 'reuse';
};
export type LockOutSignIn = By & { readonly type: 'LockOutSignIn' };

export type UserCommand =
  | RegisterUser
  | AbandonUser
  | ChangeUser
  | StartSession
  | RevokeSession
  | LockOutSignIn
  | TokenCommand;

// Decisions ---------------------------------------------------------------------------------------------------------

type UserDecision = Decision<UserEvent>;

function decide(command: UserCommand, state: UserState): UserDecision {
  if (command.type === 'RegisterUser') return register(command, state);
  if (command.type === 'AbandonUser') return abandon(state);
  if (state.status === 'unborn' || state.status === 'abandoned') return reject('NotFound', 'There is no such user.');
  switch (command.type) {
    case 'ChangeUser':
      return change(command, state);
    case 'StartSession':
      if (state.status === 'suspended') return reject('NotAllowed', 'This account is suspended.');
      if (state.bot) return reject('NotAllowed', 'Bots do not sign in; they have tokens.');
      return accept({ type: 'SessionStarted', data: { sessionId: command.sessionId } });
    case 'RevokeSession':
      return accept({ type: 'SessionRevoked', data: { sessionId: command.sessionId, cause: command.cause } });
    case 'CreateToken':
      return createToken(command, state);
    case 'RevokeToken':
      return revokeToken(command, state);
    case 'LockOutSignIn':
      return accept({ type: 'SignInLockedOut', data: {} });
  }
}

const accept = (...events: NewFact<UserEvent>[]): UserDecision => ({ events });

function register(command: RegisterUser, state: UserState): UserDecision {
  const { username, displayName, email, role, origin } = command;
  if (state.status === 'abandoned') return reject('Conflict', 'This registration took too long. Try again.');
  if (state.status !== 'unborn') {
    return state.username === username ? accept() : reject('Conflict', 'An account with this id exists already.');
  }
  const problem = nameProblem(displayName, limits.displayName);
  if (problem) return reject('Invalid', `The display name ${problem}.`);
  return accept({ type: 'UserRegistered', data: { username, displayName, email, role, origin } });
}

function abandon(state: UserState): UserDecision {
  if (state.status === 'abandoned') return accept();
  if (state.status !== 'unborn') return reject('Conflict', 'The account exists.');
  return accept({ type: 'UserAbandoned', data: {} });
}

function change({ actor, userId, displayName, role, suspended }: ChangeUser, state: UserState): UserDecision {
  const administers = actor.role === 'admin';
  if (!administers && (actor.id !== userId || role !== undefined || suspended !== undefined)) {
    return reject('NotAllowed', 'Only administrators may do this.');
  }
  const events: NewFact<UserEvent>[] = [];
  if (displayName !== undefined && displayName !== state.displayName) {
    const problem = nameProblem(displayName, limits.displayName);
    if (problem) return reject('Invalid', `The display name ${problem}.`);
    events.push({ type: 'UserChanged', data: { displayName } });
  }
  if (role !== undefined && role !== state.role) {
    if (actor.id === userId) return reject('Conflict', 'Administrators cannot change their own role.');
    events.push({ type: 'UserRoleChanged', data: { role } });
  }
  if (suspended !== undefined && suspended !== (state.status === 'suspended')) {
    if (actor.id === userId) return reject('Conflict', 'Administrators cannot suspend themselves.');
    events.push({ type: suspended ? 'UserSuspended' : 'UserReinstated', data: {} });
  }
  return { events };
}

export const user: Decider<UserState, UserCommand, UserEvent> = { category: 'user', initialState, evolve, decide };
