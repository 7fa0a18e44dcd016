import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type Actor,
  type ChangeUser,
  isRejection,
  nameKey,
  type Rejection,
  reject,
  type UserCommand,
  type UserState,
} from '@verbatim/domain';
import { Time } from '../clock.js';
import { Users } from '../mailbox/entities.js';
import type { Context, Decided } from '../mailbox/mailbox.js';
import { newId } from '../new-id.js';
import { ProblemFilter } from '../rest/problem-filter.js';
import { ACCESS_SECONDS, AccessTokens } from '../vault/access-tokens.js';
import { Names } from '../vault/names.js';
import { hashPassword, passwordMatches } from '../vault/passwords.js';
import { Sessions } from '../vault/sessions.js';
import { VaultSql } from '../vault/vault-sql.js';

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

/** Changes an account. Whoever was suspended comes back without the sessions of before: a thief might hold one. */
export class ReviseAccount extends Command<UserDecided | Rejection> {
  constructor(
    readonly userId: string,
    readonly actor: Actor,
    readonly wishes: Pick<ChangeUser, 'displayName' | 'role' | 'suspended'>,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(ReviseAccount)
export class ReviseAccountHandler implements ICommandHandler<ReviseAccount> {
  constructor(
    private readonly users: Users,
    private readonly sessions: Sessions,
  ) {}

  async execute({ userId, actor, wishes, context }: ReviseAccount): Promise<UserDecided | Rejection> {
    if (wishes.suspended === false) {
      const { state } = await this.users.newest(userId);
      if (state.status === 'suspended') await this.sessions.revokeAll(userId);
    }
    return this.users.send(userId, { type: 'ChangeUser', actor, userId, ...wishes }, context);
  }
}

/** Makes an account: claims the name, keeps the credential, records the registration. Without a password nobody can sign in. */
export class OpenAccount extends Command<UserDecided | Rejection> {
  constructor(
    readonly userId: string,
    readonly account: Omit<Extract<UserCommand, { type: 'RegisterUser' }>, 'type' | 'actor'> & {
      readonly password: string | null;
    },
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(OpenAccount)
export class OpenAccountHandler implements ICommandHandler<OpenAccount> {
  constructor(
    private readonly users: Users,
    private readonly names: Names,
    private readonly vault: VaultSql,
  ) {}

  async execute({ userId, account, context }: OpenAccount): Promise<UserDecided | Rejection> {
    const { password, ...registration } = account;
    const claim = await this.names.claim('user', nameKey(account.username), userId);
    if (!claim) return reject('NameTaken', 'This username is taken.');
    if (password !== null) {
      await this.vault.sql`
        insert into vault.credentials (user_id, password_hash) values (${userId}, ${await hashPassword(password)})
        on conflict (user_id) do nothing`;
    }
    return this.users.send(userId, { type: 'RegisterUser', actor: null, ...registration }, context);
  }
}

/** Begins a session of an account whose holder has been recognized. */
export class StartSession extends Command<SignedIn | Rejection> {
  constructor(
    readonly userId: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(StartSession)
export class StartSessionHandler implements ICommandHandler<StartSession> {
  constructor(
    private readonly users: Users,
    private readonly sessions: Sessions,
    private readonly tokens: AccessTokens,
    private readonly time: Time,
  ) {}

  async execute({ userId, context }: StartSession): Promise<SignedIn | Rejection> {
    const sessionId = newId();
    const started = await this.users.send(userId, { type: 'StartSession', actor: null, sessionId }, context);
    if (isRejection(started)) return started;
    const refreshToken = await this.sessions.start({ sessionId, userId });
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

/** Recognizes somebody by username and password. Unknown names and wrong passwords look the same and take as long. */
export class SignIn extends Command<SignedIn | null | Rejection> {
  constructor(
    readonly username: string,
    readonly password: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(SignIn)
export class SignInHandler implements ICommandHandler<SignIn> {
  constructor(
    private readonly names: Names,
    private readonly vault: VaultSql,
    private readonly start: StartSessionHandler,
  ) {}

  async execute({ username, password, context }: SignIn): Promise<SignedIn | null | Rejection> {
    const userId = await this.names.ownerOf('user', nameKey(username));
    const [credential] = userId
      ? await this.vault.sql<
          { password_hash: string }[]
        >`select password_hash from vault.credentials where user_id = ${userId}`
      : [];
    const matches = await passwordMatches(password, credential?.password_hash ?? null);
    if (!matches || !userId) return null;
    const signedIn = await this.start.execute(new StartSession(userId, context));
    return isRejection(signedIn) && signedIn.rejected === 'NotFound' ? null : signedIn;
  }
}

/** Records that an account, if there is one of this name, was guessed at so often that it has to wait. */
export class NoteLockout extends Command<void> {
  constructor(
    readonly username: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(NoteLockout)
export class NoteLockoutHandler implements ICommandHandler<NoteLockout> {
  constructor(
    private readonly names: Names,
    private readonly users: Users,
    private readonly problems: ProblemFilter,
  ) {}

  /** Nobody waits for it, so what goes wrong is only logged. */
  async execute({ username, context }: NoteLockout): Promise<void> {
    try {
      const userId = await this.names.ownerOf('user', nameKey(username));
      if (userId) await this.users.send(userId, { type: 'LockOutSignIn', actor: null }, context);
    } catch (error) {
      this.problems.refusal(error, { note: 'a lockout was not recorded' });
    }
  }
}

/** Ends a session for good: sign-out, or a stolen token. */
export class EndSession extends Command<UserDecided | Rejection> {
  constructor(
    readonly userId: string,
    readonly sessionId: string,
    readonly actor: Actor | null,
    readonly cause: 'logout' | 'reuse',
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(EndSession)
export class EndSessionHandler implements ICommandHandler<EndSession> {
  constructor(
    private readonly users: Users,
    private readonly sessions: Sessions,
  ) {}

  async execute({ userId, sessionId, actor, cause, context }: EndSession): Promise<UserDecided | Rejection> {
    await this.sessions.revoke(sessionId);
    return this.users.send(userId, { type: 'RevokeSession', actor, sessionId, cause }, context);
  }
}

/** Renews a session. A refresh token that was used before ends the whole session, for one of the two users is a thief. */
export class RenewSession extends Command<SignedIn | null> {
  constructor(
    readonly refreshToken: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(RenewSession)
export class RenewSessionHandler implements ICommandHandler<RenewSession> {
  constructor(
    private readonly users: Users,
    private readonly sessions: Sessions,
    private readonly tokens: AccessTokens,
    private readonly time: Time,
    private readonly end: EndSessionHandler,
  ) {}

  async execute({ refreshToken, context }: RenewSession): Promise<SignedIn | null> {
    const rotation = await this.sessions.rotate(refreshToken);
    if (rotation.outcome === 'unknown') return null;
    const { userId, sessionId } = rotation;
    if (rotation.outcome === 'reused') {
      await this.end.execute(new EndSession(userId, sessionId, null, 'reuse', context));
      return null;
    }
    const { state, position } = await this.users.current(userId);
    if (state.status !== 'active') return null;
    const accessToken = await this.tokens.sign({ userId, sessionId }, this.time.now());
    return { userId, state, accessToken, expiresIn: ACCESS_SECONDS, refreshToken: rotation.refreshToken, position };
  }
}

export const accountCommandHandlers = [
  ReviseAccountHandler,
  OpenAccountHandler,
  StartSessionHandler,
  SignInHandler,
  NoteLockoutHandler,
  RenewSessionHandler,
  EndSessionHandler,
];
