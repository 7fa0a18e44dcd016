import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection, type UserState } from '@verbatim/domain';
import { newId } from '../../new-id.js';
import { Preferences } from '../../storage/desk/preferences.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import type { Identity } from '../sessions/authentication.js';
import { type IssuedReset, PasswordResetIssuer } from '../sessions/password-reset-issuer.js';
import { type Proof, Proving } from '../sessions/proving.js';
import { AccountChanger, type AccountChanges } from './account-changer.js';
import { AccountOpener, type NewAccount } from './account-opener.js';

type UserDecided = Decided<UserState>;

/** An account opened by an administrator, and the token its owner chooses a password with. */
export interface CreatedUser extends UserDecided {
  readonly userId: string;
  readonly reset: IssuedReset;
}

/** Opens an account for someone else. Roles beyond `user` require a recent proof of the caller's identity. */
export class CreateUserCommand extends Command<CreatedUser | Rejection> {
  constructor(
    readonly identity: Identity,
    readonly account: Pick<NewAccount, 'username' | 'displayName' | 'email' | 'role'>,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(CreateUserCommand)
export class CreateUserHandler implements ICommandHandler<CreateUserCommand> {
  constructor(
    private readonly proving: Proving,
    private readonly opener: AccountOpener,
    private readonly resets: PasswordResetIssuer,
  ) {}

  async execute({ identity, account, context }: CreateUserCommand): Promise<CreatedUser | Rejection> {
    const unproved = account.role === 'user' ? null : await this.proving.demandProof(identity);
    if (unproved) return unproved;
    const userId = newId();
    const { actor } = identity;
    const opened = await this.opener.open(userId, { ...account, origin: 'admin', password: null }, context, actor);
    if (isRejection(opened)) return opened;
    const reset = await this.resets.issue(userId, actor, context);
    return isRejection(reset) ? reset : { ...opened, userId, reset };
  }
}

/** Opens an account for a program, which uses personal tokens and cannot sign in. */
export class CreateBotCommand extends Command<UserDecided | Rejection> {
  constructor(
    readonly userId: string,
    readonly account: Pick<NewAccount, 'username' | 'displayName'>,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(CreateBotCommand)
export class CreateBotHandler implements ICommandHandler<CreateBotCommand> {
  constructor(private readonly opener: AccountOpener) {}

  execute({ userId, account, context }: CreateBotCommand): Promise<UserDecided | Rejection> {
    const bot = { ...account, email: null, role: 'user', origin: 'bot', password: null } as const;
    return this.opener.open(userId, bot, context);
  }
}

/** Changes what users may change about themselves. */
export class ChangeProfileCommand extends Command<UserDecided | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly changes: Pick<AccountChanges, 'displayName' | 'email'>,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(ChangeProfileCommand)
export class ChangeProfileHandler implements ICommandHandler<ChangeProfileCommand> {
  constructor(private readonly changer: AccountChanger) {}

  execute({ actor, changes, context }: ChangeProfileCommand): Promise<UserDecided | Rejection> {
    return this.changer.change(actor.id, actor, changes, context);
  }
}

/** Changes an account, by an administrator. Roles and addresses require a recent second factor, if the caller has one. */
export class ChangeUserCommand extends Command<UserDecided | Rejection> {
  constructor(
    readonly userId: string,
    readonly identity: Identity,
    readonly changes: AccountChanges,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(ChangeUserCommand)
export class ChangeUserHandler implements ICommandHandler<ChangeUserCommand> {
  constructor(
    private readonly proving: Proving,
    private readonly changer: AccountChanger,
  ) {}

  async execute({ userId, identity, changes, context }: ChangeUserCommand): Promise<UserDecided | Rejection> {
    // The owner of the address can enter the account by single sign-on.
    const sensitive = changes.role !== undefined || changes.email !== undefined;
    const unproved = sensitive ? await this.proving.demandFresh(identity) : null;
    return unproved ?? this.changer.change(userId, identity.actor, changes, context);
  }
}

/** Deactivates the caller's account, with proof of who they are. */
export class DeactivateUserCommand extends Command<UserDecided | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly proof: Proof,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(DeactivateUserCommand)
export class DeactivateUserHandler implements ICommandHandler<DeactivateUserCommand> {
  constructor(
    private readonly proving: Proving,
    private readonly changer: AccountChanger,
  ) {}

  async execute({ actor, proof, context }: DeactivateUserCommand): Promise<UserDecided | Rejection> {
    return (await this.proving.check(actor.id, proof, context)) ?? this.changer.deactivate(actor, context);
  }
}

/** Stores an application's preferences for a user: a text that only the application interprets. */
export class KeepPreferencesCommand extends Command<void> {
  constructor(
    readonly userId: string,
    readonly preferences: string,
  ) {
    super();
  }
}

@CommandHandler(KeepPreferencesCommand)
export class KeepPreferencesHandler implements ICommandHandler<KeepPreferencesCommand> {
  constructor(private readonly preferences: Preferences) {}

  execute({ userId, preferences }: KeepPreferencesCommand): Promise<void> {
    return this.preferences.keep(userId, preferences);
  }
}

export const accountCommandHandlers = [
  AccountOpener,
  AccountChanger,
  CreateUserHandler,
  CreateBotHandler,
  ChangeProfileHandler,
  ChangeUserHandler,
  DeactivateUserHandler,
  KeepPreferencesHandler,
];
