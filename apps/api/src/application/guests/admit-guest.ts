import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection } from '@verbatim/domain';
import { GuestUse } from '../../storage/desk/guests.js';
import { Attempts } from '../../storage/limits/attempts.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import { AccountOpener } from '../accounts/account-opener.js';
import type { Client } from '../sessions/session-starter.js';
import { GuestNames, guestOf } from './guest-names.js';

/** A person admitted under a bare name. `sessionId` is the same for all connections under this name. */
export interface Guest {
  readonly userId: string;
  readonly username: string;
  readonly displayName: string;
  readonly actor: Actor;
  readonly sessionId: string;
}

/**
 * Admits a person under a bare name, at the door that the context names. Everyone using the same name at the same door is
 * the same guest: a bare name proves nothing. Rejects with `NameTaken` if a registered person has the name, with
 * `NotAllowed` if the guest is suspended, with `Invalid` if the name is not allowed, and with `TooSoon` after too many
 * new names from the address.
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
    private readonly names: GuestNames,
    private readonly accounts: AccountOpener,
    private readonly attempts: Attempts,
    private readonly use: GuestUse,
  ) {}

  async execute({ name, client, context }: AdmitGuestCommand): Promise<Guest | Rejection> {
    const { userId, account } = guestOf(context.door, name);
    const { username, displayName } = account;
    const refused = await this.names.problemOf(account);
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
}
