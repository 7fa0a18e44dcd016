import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { findUsers, type Page, type PageRequest, type User } from '@verbatim/projections';
import { ReadModels } from '../read-models/read-models.js';

/** People whose username or display name contains `q`; everybody without it. */
export class FindUsers extends Query<Page<User>> {
  constructor(
    readonly q: string | undefined,
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(FindUsers)
export class FindUsersHandler implements IQueryHandler<FindUsers> {
  constructor(private readonly readModels: ReadModels) {}

  execute({ q, page }: FindUsers): Promise<Page<User>> {
    return findUsers(this.readModels.db, q, page);
  }
}

export const accountQueryHandlers = [FindUsersHandler];
