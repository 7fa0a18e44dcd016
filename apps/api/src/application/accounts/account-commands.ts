import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type Actor,
  type ChangeUser,
  isRejection,
  nameKey,
  type Rejection,
  reject,
  shutOutSince,
  takesAdministratorAway,
  type UserCommand,
  type UserState,
  user,
} from '@verbatim/domain';
import { Time } from '../../clock.js';
import { Problems } from '../../doors/problems.js';
import { newId } from '../../new-id.js';
import { ACCESS_SECONDS, AccessTokens } from '../../storage/vault/access-tokens.js';
import { Administrators } from '../../storage/vault/administrators.js';
import { passwordProblem } from '../../storage/vault/common-passwords.js';
import { Credentials } from '../../storage/vault/credentials.js';
import { Names } from '../../storage/vault/names.js';
import { hashPassword } from '../../storage/vault/passwords.js';
import { type Device, type NewSession, Sessions } from '../../storage/vault/sessions.js';
import { VaultSql } from '../../storage/vault/vault-sql.js';
import { Users } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import { Proving } from '../sessions/proving.js';
import { RevokeSessionsCommand, RevokeSessionsHandler } from '../sessions/session-commands.js';

/** Somebody signed in: the account, and the tokens to go on with. */
export interface SignedIn {
  readonly userId: string;
  readonly state: UserState;
  readonly accessToken: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly refreshToken: string;
  readonly position: bigint;
}

type UserDecided = Decided<UserState>;

/** Changes an account. Whoever was suspended or deactivated comes back without the sessions of before: a thief might hold one. */
export class ChangeUserCommand extends Command<UserDecided | Rejection> {
  constructor(
    readonly userId: string,
    readonly actor: Actor,
    readonly wishes: Pick<ChangeUser, 'displayName' | 'email' | 'role' | 'suspended' | 'reason' | 'deactivated'>,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(ChangeUserCommand)
export class ChangeUserHandler implements ICommandHandler<ChangeUserCommand> {
  constructor(
    private readonly users: Users,
    private readonly sessions: Sessions,
    private readonly administrators: Administrators,
  ) {}

  async execute({ userId, actor, wishes, context }: ChangeUserCommand): Promise<UserDecided | Rejection> {
    const { role, suspended, deactivated } = wishes;
    let othersRemain = false;
    if (role !== undefined || suspended !== undefined || deactivated !== undefined) {
      const { state } = await this.users.newest(userId);
      const comesBack = suspended === false || deactivated === false;
      if (comesBack && state.status !== 'active') await this.sessions.revokeAll(userId);
      if (actor.id !== userId && takesAdministratorAway(wishes, state)) {
        const leaving = await this.administrators.leave(userId);
        if (leaving === 'busy') return undecidedAdministrators;
        othersRemain = leaving === 'noted';
      }
    }
    const change = { type: 'ChangeUser', actor, userId, ...wishes, othersRemain } as const;
    const changed = await this.users.send(userId, change, context);
    if (!isRejection(changed) && (suspended || deactivated)) await this.sessions.revokeAll(userId);
    return changed;
  }
}

/** The holder gives an account up, having proved who they are. */
export class DeactivateUserCommand extends Command<UserDecided | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(DeactivateUserCommand)
export class DeactivateUserHandler implements ICommandHandler<DeactivateUserCommand> {
  constructor(
    private readonly users: Users,
    private readonly sessions: Sessions,
    private readonly administrators: Administrators,
  ) {}

  async execute({ actor, context }: DeactivateUserCommand): Promise<UserDecided | Rejection> {
    const { state } = await this.users.newest(actor.id);
    let othersRemain = false;
    if (takesAdministratorAway({ deactivated: true }, state)) {
      const leaving = await this.administrators.leave(actor.id);
      if (leaving === 'busy') return undecidedAdministrators;
      othersRemain = leaving === 'noted';
    }
    const given = await this.users.send(actor.id, { type: 'DeactivateUser', actor, othersRemain }, context);
    if (!isRejection(given)) await this.sessions.revokeAll(actor.id);
    return given;
  }
}

const undecidedAdministrators = reject(
  'Unavailable',
  'Whether another administrator remains is being decided. Try again in a minute.',
);

/** Makes an account: claims the name, keeps the credential, records the registration. Without a password nobody can sign in. */
export class RegisterUserCommand extends Command<UserDecided | Rejection> {
  constructor(
    readonly userId: string,
    readonly account: Omit<Extract<UserCommand, { type: 'RegisterUser' }>, 'type' | 'actor'> & {
      readonly password: string | null;
    },
    readonly context: Context,
    /** The administrator who makes it for somebody; null: the person does, or the service. */
    readonly actor: Actor | null = null,
  ) {
    super();
  }
}

@CommandHandler(RegisterUserCommand)
export class RegisterUserHandler implements ICommandHandler<RegisterUserCommand> {
  constructor(
    private readonly users: Users,
    private readonly names: Names,
    private readonly vault: VaultSql,
  ) {}

  async execute({ userId, account, context, actor }: RegisterUserCommand): Promise<UserDecided | Rejection> {
    const { password, ...registration } = account;
    const problem = password === null ? null : await passwordProblem(password, account.username);
    if (problem) return reject('Invalid', `The password ${problem}.`);
    const refused = this.refusal(account.origin, actor) ?? this.problemOf(registration);
    if (refused) return refused;
    const claim = await this.names.claim('user', nameKey(account.username), userId);
    if (!claim) return reject('NameTaken', 'This username is taken.');
    if (password !== null) {
      await this.vault.sql`
        insert into vault.credentials (user_id, password_hash) values (${userId}, ${await hashPassword(password)})
        on conflict (user_id) do nothing`;
    }
    return this.users.send(userId, { type: 'RegisterUser', actor, ...registration }, context);
  }

  /** Why there can be no such account, whoever has its name: asked before anything is claimed or used up for it. */
  problemOf(registration: Omit<RegisterUserCommand['account'], 'password'>): Rejection | null {
    const { username, displayName, email, role, origin } = registration;
    const register = { type: 'RegisterUser', actor: null, username, displayName, email, role, origin } as const;
    const foreseen = user.decide(register, user.initialState, '');
    return isRejection(foreseen) ? foreseen : null;
  }

  /** Why no account would be made now, for those who have something to do before: then neither names nor invitations are used up. */
  refusal(origin: RegisterUserCommand['account']['origin'], actor: Actor | null): Rejection | null {
    return this.users.refusal({ type: 'RegisterUser', actor, origin });
  }
}

/** Begins a session of an account whose holder has been recognized. */
export class StartSessionCommand extends Command<SignedIn | Rejection> {
  constructor(
    readonly session: Omit<NewSession, 'sessionId'>,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(StartSessionCommand)
export class StartSessionHandler implements ICommandHandler<StartSessionCommand> {
  constructor(
    private readonly users: Users,
    private readonly sessions: Sessions,
    private readonly tokens: AccessTokens,
    private readonly time: Time,
    private readonly end: RevokeSessionsHandler,
  ) {}

  async execute({ session, context }: StartSessionCommand): Promise<SignedIn | Rejection> {
    const { userId, how } = session;
    const sessionId = newId();
    const started = await this.users.send(userId, { type: 'StartSession', actor: null, sessionId, how }, context);
    if (isRejection(started)) return started;
    const refreshToken = await this.sessions.start({ ...session, sessionId });
    if (refreshToken === null) {
      const revoke = { type: 'RevokeSessions', actor: null, sessionIds: [sessionId], cause: 'password' } as const;
      await this.users.send(userId, revoke, context);
      return reject('NotFound', 'The password has just been changed.');
    }
    // Whoever is shut out from here on loses this session like all others; if it was before, nobody has ended it yet.
    const { state } = await this.users.newest(userId);
    if (shutOutSince(state, started.revision)) {
      const ended = await this.end.execute(
        new RevokeSessionsCommand(userId, { only: sessionId }, null, 'revoked', context),
      );
      return isRejection(ended) ? ended : reject('NotAllowed', 'This account has just been shut out.');
    }
    const accessToken = await this.tokens.sign({ userId, sessionId }, this.time.now());
    return {
      userId,
      state: started.state,
      accessToken,
      expiresIn: ACCESS_SECONDS,
      refreshToken,
      position: started.position,
    };
  }
}

/** What somebody shows to sign in; `code` is of the second factor. */
export interface Showing {
  readonly username: string;
  readonly password: string;
  readonly code?: string;
}

/**
 * Recognizes somebody by username, password and, where there is one, second factor. Unknown names and wrong passwords look the
 * same and take as long; only the right password brings to light that a second factor is needed.
 */
export class SignInCommand extends Command<SignedIn | null | Rejection> {
  constructor(
    readonly shown: Showing,
    readonly device: Device,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(SignInCommand)
export class SignInHandler implements ICommandHandler<SignInCommand> {
  constructor(
    private readonly names: Names,
    private readonly credentials: Credentials,
    private readonly users: Users,
    private readonly proving: Proving,
    private readonly start: StartSessionHandler,
  ) {}

  async execute({ shown, device, context }: SignInCommand): Promise<SignedIn | null | Rejection> {
    const { username, password, code } = shown;
    const userId = await this.names.ownerOf('user', nameKey(username));
    const passwordHash = await this.credentials.check(userId, password);
    if (!passwordHash || !userId) return null;
    const { state } = await this.users.newest(userId);
    if (state.status === 'active' && state.totpId !== null) {
      if (code === undefined) return secondFactorNeeded;
      if (!(await this.proving.bySecondFactor(userId, state, code, context))) return null;
    }
    const session = { userId, how: 'password', device, passwordHash } as const;
    const signedIn = await this.start.execute(new StartSessionCommand(session, context));
    return isRejection(signedIn) && signedIn.rejected === 'NotFound' ? null : signedIn;
  }
}

const secondFactorNeeded = reject(
  'SecondFactorNeeded',
  'Send the six digits of your authenticator, or a recovery code, as `code` with the password.',
);

/** Records that an account, if there is one of this name, was guessed at so often that it has to wait. */
export class LockOutSignInCommand extends Command<void> {
  constructor(
    readonly username: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(LockOutSignInCommand)
export class LockOutSignInHandler implements ICommandHandler<LockOutSignInCommand> {
  constructor(
    private readonly names: Names,
    private readonly users: Users,
    private readonly problems: Problems,
  ) {}

  /** Nobody waits for it, so what goes wrong is only logged. */
  async execute({ username, context }: LockOutSignInCommand): Promise<void> {
    try {
      const userId = await this.names.ownerOf('user', nameKey(username));
      if (userId) await this.users.send(userId, { type: 'LockOutSignIn', actor: null }, context);
    } catch (error) {
      this.problems.refusal(error, { note: 'a lockout was not recorded' });
    }
  }
}

/** Renews a session. A refresh token that was used before ends the whole session, for one of the two users is a thief. */
export class RenewSessionCommand extends Command<SignedIn | null> {
  constructor(
    readonly refreshToken: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(RenewSessionCommand)
export class RenewSessionHandler implements ICommandHandler<RenewSessionCommand> {
  constructor(
    private readonly users: Users,
    private readonly sessions: Sessions,
    private readonly tokens: AccessTokens,
    private readonly time: Time,
    private readonly end: RevokeSessionsHandler,
  ) {}

  async execute({ refreshToken, context }: RenewSessionCommand): Promise<SignedIn | null> {
    const rotation = await this.sessions.rotate(refreshToken);
    if (rotation.outcome === 'unknown') return null;
    const { userId, sessionId } = rotation;
    if (rotation.outcome === 'reused') {
      await this.end.execute(new RevokeSessionsCommand(userId, { only: sessionId }, null, 'reuse', context));
      return null;
    }
    const { state, position } = await this.users.current(userId);
    if (state.status !== 'active') return null;
    const accessToken = await this.tokens.sign({ userId, sessionId }, this.time.now());
    return { userId, state, accessToken, expiresIn: ACCESS_SECONDS, refreshToken: rotation.refreshToken, position };
  }
}

export const accountCommandHandlers = [
  ChangeUserHandler,
  DeactivateUserHandler,
  RegisterUserHandler,
  StartSessionHandler,
  SignInHandler,
  LockOutSignInHandler,
  RenewSessionHandler,
];
