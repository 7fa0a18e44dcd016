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

export class FindUsers extends Query<Page<User>> {
  constructor(readonly query: UsersQuery) {
    super();
  }
}

@QueryHandler(FindUsers)
export class FindUsersHandler implements IQueryHandler<FindUsers> {
  constructor(private readonly readModels: ReadModels) {}

  execute({ query }: FindUsers): Promise<Page<User>> {
    return findUsers(this.readModels.db, query);
  }
}

/** A person, and how many messages they posted, if that was asked for. */
export interface KnownUser extends User {
  readonly messages?: number;
}

/** One person, or null. */
export class GetUser extends Query<KnownUser | null> {
  constructor(
    readonly userId: string,
    readonly withMessages: boolean,
  ) {
    super();
  }
}

@QueryHandler(GetUser)
export class GetUserHandler implements IQueryHandler<GetUser> {
  constructor(private readonly readModels: ReadModels) {}

  async execute({ userId, withMessages }: GetUser): Promise<KnownUser | null> {
    const { db } = this.readModels;
    if (!withMessages) return getUser(db, userId);
    const [user, messages] = await Promise.all([getUser(db, userId), messagesBy(db, userId)]);
    return user && { ...user, messages };
  }
}

/** The rooms a person is in; null: there is no such person. */
export class ListRoomsOf extends Query<Page<Membership> | null> {
  constructor(
    readonly userId: string,
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(ListRoomsOf)
export class ListRoomsOfHandler implements IQueryHandler<ListRoomsOf> {
  constructor(private readonly readModels: ReadModels) {}

  async execute({ userId, page }: ListRoomsOf): Promise<Page<Membership> | null> {
    const { db } = this.readModels;
    return (await getUser(db, userId)) ? roomsOf(db, userId, page) : null;
  }
}

export const accountQueryHandlers = [FindUsersHandler, GetUserHandler, ListRoomsOfHandler];
