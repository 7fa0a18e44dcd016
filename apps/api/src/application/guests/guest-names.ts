import { Injectable } from '@nestjs/common';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { guestUsername, nameKey, type Rejection, reject } from '@verbatim/domain';
import { isNameOfPerson } from '@verbatim/projections';
import { derivedId } from '../../derived-id.js';
import { ReadModels } from '../../storage/read-models.js';
import { Names } from '../../storage/vault/names.js';
import { Users } from '../../write-side/entities.js';
import { AccountOpener } from '../accounts/account-opener.js';

/** The id of the account for this name at this door, whether it has been opened or not. */
export function guestOf(door: string, name: string) {
  const displayName = name.normalize('NFC');
  const userId = derivedId('guest', door, displayName);
  const account = { username: guestUsername(userId), displayName, email: null, role: 'user', origin: 'guest' } as const;
  return { userId, account };
}

/** Decides which bare names guests may use. */
@Injectable()
export class GuestNames {
  constructor(
    private readonly users: Users,
    private readonly names: Names,
    private readonly accounts: AccountOpener,
    private readonly readModels: ReadModels,
  ) {}

  async problemOf(account: ReturnType<typeof guestOf>['account']): Promise<Rejection | null> {
    return this.accounts.problemOf(account) ?? (await this.takenBy(account.displayName));
  }

  /** The check of usernames is exact; display names are looked up in the read model, which may lag slightly. */
  private async takenBy(name: string): Promise<Rejection | null> {
    const owner = await this.names.ownerOf('user', nameKey(name));
    if (owner && (await this.users.current(owner)).state.status !== 'abandoned') return nameTaken;
    return (await isNameOfPerson(this.readModels.db, name)) ? nameTaken : null;
  }
}

const nameTaken = reject('NameTaken', 'A registered person has this name.');

/** Why this name would be refused at this door, or null. Opens no account. */
export class CheckGuestNameQuery extends Query<Rejection | null> {
  constructor(
    readonly name: string,
    readonly door: string,
  ) {
    super();
  }
}

@QueryHandler(CheckGuestNameQuery)
export class CheckGuestNameHandler implements IQueryHandler<CheckGuestNameQuery> {
  constructor(
    private readonly guests: GuestNames,
    private readonly users: Users,
  ) {}

  async execute({ name, door }: CheckGuestNameQuery): Promise<Rejection | null> {
    const { userId, account } = guestOf(door, name);
    const problem = await this.guests.problemOf(account);
    if (problem) return problem;
    const { state } = await this.users.current(userId);
    return state.suspended ? reject('NotAllowed', 'This account is suspended.') : null;
  }
}
