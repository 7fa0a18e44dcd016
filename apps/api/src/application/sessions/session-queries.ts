import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import type { Rejection } from '@verbatim/domain';
import { type Page, type PageRequest, withEach } from '@verbatim/projections';
import { Directory, type Person } from '../../storage/directory.js';
import { AccessTokens } from '../../storage/vault/access-tokens.js';
import { SecondFactors } from '../../storage/vault/second-factors.js';
import { type LiveSession, type OwnedSession, Sessions } from '../../storage/vault/sessions.js';
import type { PublicKey } from '../../storage/vault/signing-keys.js';
import { Users } from '../../write-side/entities.js';
import { SecondFactorPolicy } from './second-factor-policy.js';
import { unknownUser } from './unknown-user.js';

/** The live sessions of a user. `list` names the list in cursors. */
export class ListSessionsQuery extends Query<Page<LiveSession> | Rejection> {
  constructor(
    readonly userId: string,
    readonly page: PageRequest,
    readonly list: 'my sessions' | 'sessions',
  ) {
    super();
  }
}

@QueryHandler(ListSessionsQuery)
export class ListSessionsHandler implements IQueryHandler<ListSessionsQuery> {
  constructor(
    private readonly users: Users,
    private readonly sessions: Sessions,
  ) {}

  async execute({ userId, page, list }: ListSessionsQuery): Promise<Page<LiveSession> | Rejection> {
    const unknown = list === 'my sessions' ? null : unknownUser((await this.users.current(userId)).state);
    return unknown ?? this.sessions.live(userId, page, list);
  }
}

/** A session with its owner. */
export interface SessionOfPerson extends OwnedSession {
  readonly person: Person;
}

/** The live sessions of everyone, or of one user. */
export class ListAllSessionsQuery extends Query<Page<SessionOfPerson>> {
  constructor(
    readonly userId: string | null,
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(ListAllSessionsQuery)
export class ListAllSessionsHandler implements IQueryHandler<ListAllSessionsQuery> {
  constructor(
    private readonly sessions: Sessions,
    private readonly directory: Directory,
  ) {}

  async execute({ userId, page }: ListAllSessionsQuery): Promise<Page<SessionOfPerson>> {
    const found = await this.sessions.everywhere(userId, page);
    const people = await this.directory.people(found.items.map((session) => session.userId));
    return withEach(found, async (session) => ({
      ...session,
      person: people.get(session.userId) ?? { id: session.userId, username: '' },
    }));
  }
}

export interface SecondFactorStatus {
  readonly enabled: boolean;
  /** Whether the user's role requires one. */
  readonly required: boolean;
  readonly recoveryCodesLeft: number;
}

/** Whether a user has a second factor. */
export class GetSecondFactorQuery extends Query<SecondFactorStatus> {
  constructor(readonly userId: string) {
    super();
  }
}

@QueryHandler(GetSecondFactorQuery)
export class GetSecondFactorHandler implements IQueryHandler<GetSecondFactorQuery> {
  constructor(
    private readonly users: Users,
    private readonly factors: SecondFactors,
    private readonly policy: SecondFactorPolicy,
  ) {}

  async execute({ userId }: GetSecondFactorQuery): Promise<SecondFactorStatus> {
    const { totpId, role } = (await this.users.newest(userId)).state;
    const recoveryCodesLeft = totpId === null ? 0 : await this.factors.recoveryCodesLeft(totpId);
    return { enabled: totpId !== null, required: this.policy.demands(role), recoveryCodesLeft };
  }
}

/** The public keys with which others can verify access tokens. */
export class ListPublicKeysQuery extends Query<PublicKey[]> {}

@QueryHandler(ListPublicKeysQuery)
export class ListPublicKeysHandler implements IQueryHandler<ListPublicKeysQuery> {
  constructor(private readonly tokens: AccessTokens) {}

  execute(): Promise<PublicKey[]> {
    return this.tokens.published();
  }
}

/** Whether a session is still live, for a door's credentials that outlive access tokens. */
export class SessionGoesOnQuery extends Query<boolean> {
  constructor(readonly sessionId: string) {
    super();
  }
}

@QueryHandler(SessionGoesOnQuery)
export class SessionGoesOnHandler implements IQueryHandler<SessionGoesOnQuery> {
  constructor(private readonly sessions: Sessions) {}

  execute({ sessionId }: SessionGoesOnQuery): Promise<boolean> {
    return this.sessions.isLive(sessionId);
  }
}

export const sessionQueryHandlers = [
  SessionGoesOnHandler,
  ListSessionsHandler,
  ListAllSessionsHandler,
  GetSecondFactorHandler,
  ListPublicKeysHandler,
];
