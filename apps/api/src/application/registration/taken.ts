import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { nameKey } from '@verbatim/domain';
import { peopleWithEmail } from '@verbatim/projections';
import { ReadModels } from '../../storage/read-models.js';
import { Names } from '../../storage/vault/names.js';
import { Users } from '../../write-side/entities.js';

/** Which parts of a registration are already taken; `username` is the stored form of the taken name. */
export interface Taken {
  readonly username: string | null;
  readonly email: boolean;
}

/** Looks up who has a username, in any spelling, and whether any account has an e-mail address. */
export class FindTakenQuery extends Query<Taken> {
  constructor(
    readonly username: string,
    readonly email: string,
  ) {
    super();
  }
}

@QueryHandler(FindTakenQuery)
export class FindTakenHandler implements IQueryHandler<FindTakenQuery> {
  constructor(
    private readonly names: Names,
    private readonly users: Users,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ username, email }: FindTakenQuery): Promise<Taken> {
    const sources = ['person', 'administrator', 'provider'] as const;
    const [holder, people] = await Promise.all([
      this.names.ownerOf('user', nameKey(username)),
      peopleWithEmail(this.readModels.db, email, sources, 1),
    ]);
    const state = holder === null ? null : (await this.users.newest(holder)).state;
    const isAccount = state !== null && state.status !== 'unborn' && state.status !== 'abandoned';
    return { username: isAccount ? state.username : null, email: people.length > 0 };
  }
}
