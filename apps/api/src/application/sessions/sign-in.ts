import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { isRejection, nameKey, type Rejection, reject } from '@verbatim/domain';
import { Attempts } from '../../storage/limits/attempts.js';
import { Credentials } from '../../storage/vault/credentials.js';
import { Names } from '../../storage/vault/names.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import { Lockouts } from './lockouts.js';
import { Proving } from './proving.js';
import { type Client, SessionStarter, type SignedIn } from './session-starter.js';

/** Credentials for signing in; `code` is for the second factor. */
export interface Showing {
  readonly username: string;
  readonly password: string;
  readonly code?: string;
}

/** Checks credentials and starts a session. */
@Injectable()
export class SignInChecker {
  constructor(
    private readonly names: Names,
    private readonly credentials: Credentials,
    private readonly users: Users,
    private readonly proving: Proving,
    private readonly starter: SessionStarter,
  ) {}

  async signIn(
    { username, password, code }: Showing,
    { device, sessionSeconds: seconds }: Client,
    context: Context,
  ): Promise<SignedIn | Rejection> {
    const userId = await this.names.ownerOf('user', nameKey(username));
    const passwordHash = await this.credentials.check(userId, password);
    if (!passwordHash || !userId) return wrong;
    const { state } = await this.users.newest(userId);
    if (state.status === 'active' && state.totpId !== null) {
      if (code === undefined) return secondFactorNeeded;
      if (!(await this.proving.bySecondFactor(userId, state, code, context))) return wrong;
    }
    const signedIn = await this.starter.start({ userId, how: 'password', device, passwordHash, seconds }, context);
    return isRejection(signedIn) && signedIn.rejected === 'NotFound' ? wrong : signedIn;
  }
}

const wrong = reject('Unauthenticated', 'The username, the password or the code is incorrect.');

const secondFactorNeeded = reject(
  'SecondFactorNeeded',
  'Send the six digits of your authenticator, or a recovery code, as `code` with the password.',
);

/**
 * Signs a user in by username, password and second factor, if they have one. Unknown names and wrong passwords are
 * rejected in the same way (`Unauthenticated`) and take equally long; only the right password reveals a missing second
 * factor (`SecondFactorNeeded`). Too many attempts are rejected with `TooSoon` before the password is checked.
 */
export class SignInCommand extends Command<SignedIn | Rejection> {
  constructor(
    readonly shown: Showing,
    readonly client: Client,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(SignInCommand)
export class SignInHandler implements ICommandHandler<SignInCommand> {
  constructor(
    private readonly attempts: Attempts,
    private readonly checker: SignInChecker,
    private readonly lockouts: Lockouts,
  ) {}

  async execute({ shown, client, context }: SignInCommand): Promise<SignedIn | Rejection> {
    const attempt = await this.attempts.signIn(shown.username, client.address);
    if (isRejection(attempt)) return attempt;
    const signedIn = await this.checker.signIn(shown, client, context);
    if (!isRejection(signedIn)) await attempt.succeeded();
    // Not awaited: the response time must not reveal whether the account exists.
    else if (signedIn.rejected === 'Unauthenticated' && attempt.last)
      void this.lockouts.record(shown.username, context);
    return signedIn;
  }
}

export const signInCommandHandlers = [SignInChecker, SignInHandler];
