import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Users } from '../../write-side/entities.js';

/** The name that a guest uses; null once it is erased. */
export class GuestNameQuery extends Query<string | null> {
  constructor(readonly userId: string) {
    super();
  }
}

@QueryHandler(GuestNameQuery)
export class GuestNameHandler implements IQueryHandler<GuestNameQuery> {
  constructor(private readonly users: Users) {}

  async execute({ userId }: GuestNameQuery): Promise<string | null> {
    return (await this.users.current(userId)).state.displayName;
  }
}
