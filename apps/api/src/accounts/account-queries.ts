import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import {
  findUsers,
  getUser,
  type Membership,
  type Page,
  type PageRequest,
  roomsOf,
  type User,
  type UsersQuery,
} from '@verbatim/projections';
import { ReadModels } from '../read-models/read-models.js';

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

/** One person, or null. */
export class GetUser extends Query<User | null> {
  constructor(readonly userId: string) {
    super();
  }
}

@QueryHandler(GetUser)
export class GetUserHandler implements IQueryHandler<GetUser> {
  constructor(private readonly readModels: ReadModels) {}

  execute({ userId }: GetUser): Promise<User | null> {
    return getUser(this.readModels.db, userId);
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
