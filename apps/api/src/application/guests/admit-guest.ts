import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, guestUsername, isRejection, nameKey, type Rejection, reject } from '@verbatim/domain';
import { isNameOfPerson } from '@verbatim/projections';
import { derivedId } from '../../derived-id.js';
import { GuestUse } from '../../storage/desk/guests.js';
import { Attempts } from '../../storage/limits/attempts.js';
import { ReadModels } from '../../storage/read-models.js';
import { Names } from '../../storage/vault/names.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import { AccountOpener } from '../accounts/account-opener.js';
import type { Client } from '../sessions/session-starter.js';

/** Somebody who came under a bare name. `sessionId` is the same for all connections under this name. */
export interface Guest {
  readonly userId: string;
  readonly username: string;
  readonly displayName: string;
  readonly actor: Actor;
  readonly sessionId: string;
}

/**
 * Lets somebody in under a bare name, at the door that the context names. Everybody who comes under the same name at the same
 * door is the same guest: a bare name proves nothing. Rejects with `NameTaken` if a registered person has the name, with
 * `NotAllowed` if the guest is suspended, with `Invalid` if this can be nobody's name, and with `TooSoon` when too many new
 * names came from the address.
 */
export class AdmitGuestCommand extends Command<Guest | Rejection> {
  constructor(
    readonly name: string,
    readonly client: Pick<Client, 'address'>,
    readonly context: Context & { readonly door: string },
  ) {
    super();
  }
}

@CommandHandler(AdmitGuestCommand)
export class AdmitGuestHandler implements ICommandHandler<AdmitGuestCommand> {
  constructor(
    private readonly users: Users,
    private readonly names: Names,
    private readonly accounts: AccountOpener,
    private readonly attempts: Attempts,
    private readonly use: GuestUse,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ name, client, context }: AdmitGuestCommand): Promise<Guest | Rejection> {
    const displayName = name.normalize('NFC');
    const userId = guestId(context.door, displayName);
    const username = guestUsername(userId);
    const account = { username, displayName, email: null, role: 'user', origin: 'guest' } as const;
    const refused = this.accounts.problemOf(account) ?? (await this.nameProblem(displayName));
    if (refused) return refused;

    const { state } = await this.users.current(userId);
    if (state.status === 'unborn') {
      const opened = await this.openNew(userId, account, client, context);
      if (opened && isRejection(opened)) return opened;
    }
    const readmitted = await this.users.send(userId, { type: 'ReadmitGuest', actor: null }, context);
    if (isRejection(readmitted)) return readmitted;
    await this.use.note(userId);
    return { userId, username, displayName, actor: { id: userId, role: 'user' }, sessionId: userId };
  }

  private async openNew(
    userId: string,
    account: Parameters<AccountOpener['problemOf']>[0],
    client: AdmitGuestCommand['client'],
    context: Context,
  ) {
    // Another replica may have opened it a moment ago.
    if ((await this.users.newest(userId)).state.status !== 'unborn') return null;
    const closed = this.accounts.refusal('guest', null) ?? (await this.attempts.guest(client.address));
    return closed ?? this.accounts.open(userId, { ...account, password: null }, context);
  }

  /** Usernames are certain; display names are looked up in the read model, which may be a moment behind. */
  private async nameProblem(name: string): Promise<Rejection | null> {
    const owner = await this.names.ownerOf('user', nameKey(name));
    if (owner && (await this.users.current(owner)).state.status !== 'abandoned') return nameTaken;
    return (await isNameOfPerson(this.readModels.db, name)) ? nameTaken : null;
  }
}

const nameTaken = reject('NameTaken', 'A registered person has this name.');

const guestId = (door: string, name: string): string => derivedId('guest', door, name);
