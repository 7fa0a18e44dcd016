import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { isRejection, type Rejection } from '@verbatim/domain';
import { newId } from '../../new-id.js';
import { Attempts } from '../../storage/limits/attempts.js';
import type { Context } from '../../write-side/mailbox.js';
import { AccountOpener } from '../accounts/account-opener.js';
import { type Client, SessionStarter, type SignedIn } from '../sessions/session-starter.js';
import { InvitedAccountOpener, invitedUserId } from './invited-account-opener.js';
import { Registration } from './registration.js';

/** What somebody registers with. `displayName` defaults to the username. */
export interface RegistrationForm {
  readonly username: string;
  readonly password: string;
  readonly displayName?: string;
  readonly email?: string | null;
  /** The code of an invitation to the server. */
  readonly invitation?: string;
}

/**
 * Registers an account for the caller and signs them in. Rejects with `NotAllowed` where registration is closed, and with
 * `TooSoon` when there were too many registrations from the address.
 */
export class RegisterUserCommand extends Command<SignedIn | Rejection> {
  constructor(
    readonly form: RegistrationForm,
    readonly client: Client,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(RegisterUserCommand)
export class RegisterUserHandler implements ICommandHandler<RegisterUserCommand> {
  constructor(
    private readonly registration: Registration,
    private readonly attempts: Attempts,
    private readonly opener: AccountOpener,
    private readonly starter: SessionStarter,
    private readonly invitedOpener: InvitedAccountOpener,
  ) {}

  async execute({ form, client, context }: RegisterUserCommand): Promise<SignedIn | Rejection> {
    const { username, password, displayName = username, email = null, invitation } = form;
    const refused =
      this.registration.refusal(invitation !== undefined) ?? (await this.attempts.registration(client.address));
    if (refused) return refused;
    const userId = invitation === undefined ? newId() : invitedUserId(invitation, username);
    const account = { username, password, displayName, email, role: 'user', origin: 'registration' } as const;
    const opened =
      invitation === undefined
        ? await this.opener.open(userId, account, context)
        : await this.invitedOpener.open(userId, invitation, account, context);
    if (isRejection(opened)) return opened;
    const { device, sessionSeconds: seconds } = client;
    return this.starter.start({ userId, how: 'registration', device, seconds }, context);
  }
}
