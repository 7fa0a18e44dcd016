import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Actor, type Rejection, reject, type UserState } from '@verbatim/domain';
import {
  type Counted,
  findUsers,
  getUser,
  type Membership,
  messagesBy,
  type Page,
  type PageRequest,
  roomsOf,
  type Stretch,
  type User,
  type UsersQuery,
  usersFrom,
} from '@verbatim/projections';
import { Preferences } from '../../storage/desk/preferences.js';
import { ReadModels } from '../../storage/read-models.js';
import { Users } from '../../write-side/entities.js';
import { noSuchUser } from '../sessions/unknown-user.js';

/** Finds users. Only administrators and auditors may filter by sign-in method; only administrators see e-mail addresses. */
export class ListUsersQuery extends Query<Page<User> | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly query: Omit<UsersQuery, 'byEmail'>,
  ) {
    super();
  }
}

@QueryHandler(ListUsersQuery)
export class ListUsersHandler implements IQueryHandler<ListUsersQuery> {
  constructor(private readonly readModels: ReadModels) {}

  async execute({ actor, query }: ListUsersQuery): Promise<Page<User> | Rejection> {
    const bySignIn = query.secondFactor !== undefined || query.signedInFrom || query.signedInBefore;
    if (actor.role === 'user' && bySignIn) return notBySignIn;
    return this.readModels.list((db) => findUsers(db, { ...query, byEmail: actor.role === 'admin' }));
  }
}

/** All users from the start of the list, with their e-mail addresses: for administrators. */
export class ListUsersFromQuery extends Query<Counted<User> | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly stretch: Stretch,
  ) {
    super();
  }
}

@QueryHandler(ListUsersFromQuery)
export class ListUsersFromHandler implements IQueryHandler<ListUsersFromQuery> {
  constructor(private readonly readModels: ReadModels) {}

  async execute({ actor, stretch }: ListUsersFromQuery): Promise<Counted<User> | Rejection> {
    return actor.role === 'admin' ? this.readModels.list((db) => usersFrom(db, stretch)) : administratorsOnly;
  }
}

const administratorsOnly = reject('NotAllowed', 'Only administrators may see all e-mail addresses.');

const notBySignIn = reject('NotAllowed', 'Only administrators and auditors may search by how people sign in.');

/** A user; for administrators and auditors with their message count. */
export interface KnownUser extends User {
  readonly messages?: number;
}

/** One user. */
export class GetUserQuery extends Query<KnownUser | Rejection> {
  constructor(
    readonly userId: string,
    readonly actor: Actor,
  ) {
    super();
  }
}

@QueryHandler(GetUserQuery)
export class GetUserHandler implements IQueryHandler<GetUserQuery> {
  constructor(private readonly readModels: ReadModels) {}

  async execute({ userId, actor }: GetUserQuery): Promise<KnownUser | Rejection> {
    const { db } = this.readModels;
    if (actor.role === 'user') return (await getUser(db, userId)) ?? noSuchUser;
    const [user, messages] = await Promise.all([getUser(db, userId), messagesBy(db, userId)]);
    return user ? { ...user, messages } : noSuchUser;
  }
}

/** The rooms of a user. */
export class ListRoomsOfUserQuery extends Query<Page<Membership> | Rejection> {
  constructor(
    readonly userId: string,
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(ListRoomsOfUserQuery)
export class ListRoomsOfUserHandler implements IQueryHandler<ListRoomsOfUserQuery> {
  constructor(private readonly readModels: ReadModels) {}

  async execute({ userId, page }: ListRoomsOfUserQuery): Promise<Page<Membership> | Rejection> {
    const { db } = this.readModels;
    return (await getUser(db, userId)) ? roomsOf(db, userId, page) : noSuchUser;
  }
}

/** The state of the caller's own account; also works while the event store is unreachable. */
export class GetAccountQuery extends Query<UserState> {
  constructor(readonly userId: string) {
    super();
  }
}

@QueryHandler(GetAccountQuery)
export class GetAccountHandler implements IQueryHandler<GetAccountQuery> {
  constructor(private readonly users: Users) {}

  async execute({ userId }: GetAccountQuery): Promise<UserState> {
    return (await this.users.newestKnown(userId)).state;
  }
}

/** What applications have stored for a user; empty if nothing. */
export class GetPreferencesQuery extends Query<string> {
  constructor(readonly userId: string) {
    super();
  }
}

@QueryHandler(GetPreferencesQuery)
export class GetPreferencesHandler implements IQueryHandler<GetPreferencesQuery> {
  constructor(private readonly preferences: Preferences) {}

  execute({ userId }: GetPreferencesQuery): Promise<string> {
    return this.preferences.of(userId);
  }
}

export const accountQueryHandlers = [
  ListUsersHandler,
  ListUsersFromHandler,
  GetUserHandler,
  ListRoomsOfUserHandler,
  GetAccountHandler,
  GetPreferencesHandler,
];
