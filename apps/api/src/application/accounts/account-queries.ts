import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import {
  findUsers,
  getUser,
  type Membership,
  messagesBy,
  type Page,
  type PageRequest,
  roomsOf,
  type User,
  type UsersQuery,
} from '@verbatim/projections';
import { ReadModels } from '../../storage/read-models.js';

export class ListUsersQuery extends Query<Page<User>> {
  constructor(readonly query: UsersQuery) {
    super();
  }
}

@QueryHandler(ListUsersQuery)
export class ListUsersHandler implements IQueryHandler<ListUsersQuery> {
  constructor(private readonly readModels: ReadModels) {}

  execute({ query }: ListUsersQuery): Promise<Page<User>> {
    return findUsers(this.readModels.db, query);
  }
}

/** A person, and how many messages they posted, if that was asked for. */
export interface KnownUser extends User {
  readonly messages?: number;
}

/** One person, or null. */
export class GetUserQuery extends Query<KnownUser | null> {
  constructor(
    readonly userId: string,
    readonly withMessages: boolean,
  ) {
    super();
  }
}

@QueryHandler(GetUserQuery)
export class GetUserHandler implements IQueryHandler<GetUserQuery> {
  constructor(private readonly readModels: ReadModels) {}

  async execute({ userId, withMessages }: GetUserQuery): Promise<KnownUser | null> {
    const { db } = this.readModels;
    if (!withMessages) return getUser(db, userId);
    const [user, messages] = await Promise.all([getUser(db, userId), messagesBy(db, userId)]);
    return user && { ...user, messages };
  }
}

/** The rooms a person is in; null: there is no such person. */
export class ListRoomsOfUserQuery extends Query<Page<Membership> | null> {
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

  async execute({ userId, page }: ListRoomsOfUserQuery): Promise<Page<Membership> | null> {
    const { db } = this.readModels;
    return (await getUser(db, userId)) ? roomsOf(db, userId, page) : null;
  }
}

export const accountQueryHandlers = [ListUsersHandler, GetUserHandler, ListRoomsOfUserHandler];
