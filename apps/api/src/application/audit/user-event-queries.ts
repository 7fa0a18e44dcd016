import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Rejection, userStream } from '@verbatim/domain';
import { cursorKey, type Page, toPage } from '@verbatim/projections';
import { Directory } from '../../storage/directory.js';
import { OpenLog } from '../../storage/open-log.js';
import { Users } from '../../write-side/entities.js';
import { noSuchUser } from '../sessions/unknown-user.js';
import { type AuditedEvent, audited } from './audited-event.js';

export interface UserEvents {
  readonly page: Page<AuditedEvent>;
  /** Maximum number of events per account. */
  readonly total: number;
}

/** The events of an account as stored in the log, for its owner, administrators and auditors. */
export class ListUserEventsQuery extends Query<UserEvents | Rejection> {
  constructor(
    readonly userId: string,
    readonly query: { readonly from: number; readonly limit: number; readonly cursor?: string },
    /** The name of the list in cursors. */
    readonly list: string,
  ) {
    super();
  }
}

@QueryHandler(ListUserEventsQuery)
export class ListUserEventsHandler implements IQueryHandler<ListUserEventsQuery> {
  constructor(
    private readonly users: Users,
    private readonly log: OpenLog,
    private readonly directory: Directory,
  ) {}

  async execute({ userId, query, list }: ListUserEventsQuery): Promise<UserEvents | Rejection> {
    const { state, revision } = await this.users.newest(userId);
    if (state.status === 'unborn') return noSuchUser;
    const after = cursorKey(query, list, isRevision);
    const from = after ? BigInt(after[0]) + 1n : BigInt(query.from);
    const events = await this.log.read(userStream(userId), from, query.limit + 1);
    const people = await this.directory.people(events.map(({ actor }) => actor));
    const page = toPage(
      events,
      query,
      list,
      (event) => audited(event, 'auditor', false, people),
      (event) => [`${event.revision}`],
    );
    return { page, total: Number(revision) + 1 };
  }
}

const isRevision = (part: string): boolean => /^\d{1,18}$/.test(part);
