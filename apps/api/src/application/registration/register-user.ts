import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { isRejection, type Rejection, reject } from '@verbatim/domain';
import { newId } from '../../new-id.js';
import { Attempts } from '../../storage/limits/attempts.js';
import { type Contact, ContactClaims } from '../../storage/vault/contact-claims.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import { AccountOpener } from '../accounts/account-opener.js';
import { type Client, SessionStarter, type SignedIn } from '../sessions/session-starter.js';
import { InvitedAccountOpener, invitedUserId } from './invited-account-opener.js';
import { Registration } from './registration.js';

/** The data to register with. `displayName` defaults to the username. */
export interface RegistrationForm {
  readonly username: string;
  readonly password: string;
  readonly displayName?: string;
  readonly email?: string | null;
  /** The code of an invitation to the server. */
  readonly invitation?: string;
  /** Contact data that must be unique, if required. The phone number is not used for anything else. */
  readonly unique?: Contact;
}

/**
 * Registers an account for the caller and signs them in. Rejects with `NotAllowed` if registration is closed, with
 * `TooSoon` after too many registrations from the address, and with `NameTaken` if something is not unique.
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
    private readonly contacts: ContactClaims,
    private readonly users: Users,
  ) {}

  async execute({ form, client, context }: RegisterUserCommand): Promise<SignedIn | Rejection> {
    const { username, password, displayName = username, email = null, invitation, unique } = form;
    const refused =
      this.registration.refusal(invitation !== undefined) ?? (await this.attempts.registration(client.address));
    if (refused) return refused;
    const userId = invitation === undefined ? newId() : invitedUserId(invitation, username);
    const account = { username, password, displayName, email, role: 'user', origin: 'registration' } as const;
    if (unique && !(await this.contacts.claim(userId, unique, (id) => this.wasOpened(id)))) return contactTaken;
    const opened =
      invitation === undefined
        ? await this.opener.open(userId, account, context)
        : await this.invitedOpener.open(userId, invitation, account, context);
    // If the outcome is unknown, the claims remain until it is known.
    if (unique && isRejection(opened) && opened.rejected !== 'Unavailable') await this.contacts.release(userId);
    if (isRejection(opened)) return opened;
    const { device, sessionSeconds: seconds } = client;
    return this.starter.start({ userId, how: 'registration', device, seconds }, context);
  }

  private async wasOpened(userId: string): Promise<boolean> {
    const { status } = (await this.users.newest(userId)).state;
    return status !== 'unborn' && status !== 'abandoned';
  }
}

const contactTaken = reject('NameTaken', 'This e-mail address or phone number is already registered.');
