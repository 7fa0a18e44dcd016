import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { userStream } from '@verbatim/domain';
import { cursorKey, type Page, toPage } from '@verbatim/projections';
import type { AnswerOf } from '@verbatim/protocol';
import { Directory } from '../../storage/directory.js';
import { OpenLog } from '../../storage/open-log.js';
import { eventAnswer } from '../../wire/event-answer.js';

type Event = AnswerOf<'listUserEvents'>['items'][number];

/** The events of an account as the log holds them, for its holder, administrators and auditors; none if there is no such. */
export class ListUserEventsQuery extends Query<Page<Event>> {
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
    private readonly log: OpenLog,
    private readonly directory: Directory,
  ) {}

  async execute({ userId, query, list }: ListUserEventsQuery): Promise<Page<Event>> {
    const after = cursorKey(query, list, isRevision);
    const from = after ? BigInt(after[0]) + 1n : BigInt(query.from);
    const events = await this.log.read(userStream(userId), from, query.limit + 1);
    const people = await this.directory.people(events.map(({ actor }) => actor));
    return toPage(
      events,
      query,
      list,
      (event) => eventAnswer(event, 'auditor', false, people) as unknown as Event,
      ({ revision }) => [`${revision}`],
    );
  }
}

const isRevision = (part: string): boolean => /^\d{1,18}$/.test(part);
