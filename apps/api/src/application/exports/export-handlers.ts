import { Command, CommandHandler, type ICommandHandler, type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import {
  type Actor,
  type ExportScope,
  isRejection,
  phrasesOf,
  type Rejection,
  reject,
  streamName,
} from '@verbatim/domain';
import { type Page, type PageRequest, withEach } from '@verbatim/projections';
import { exportLimits, type StoredExport, StoredExports } from '../../storage/exports/stored-exports.js';
import { OpenLog } from '../../storage/open-log.js';
import { ExportRequests, Users } from '../../write-side/entities.js';
import { Inspections } from '../../write-side/inspections.js';
import type { Context } from '../../write-side/mailbox.js';
import { ExportAccess } from './export-access.js';

/** Asks for an export, which is then made by whichever replica makes them. */
export class RequestExportCommand extends Command<{ readonly position: bigint } | Rejection> {
  constructor(
    readonly exportId: string,
    readonly actor: Actor,
    readonly scope: ExportScope,
    readonly words: string | undefined,
    readonly reason: string | undefined,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(RequestExportCommand)
export class RequestExportHandler implements ICommandHandler<RequestExportCommand> {
  constructor(
    private readonly access: ExportAccess,
    private readonly users: Users,
    private readonly inspections: Inspections,
    private readonly requests: ExportRequests,
    private readonly exports: StoredExports,
  ) {}

  async execute(command: RequestExportCommand): Promise<{ readonly position: bigint } | Rejection> {
    const { exportId, actor, scope, words, reason } = command;
    const reader = await this.access.readerFor(actor, scope);
    if (isRejection(reader)) return reader;
    if (reason === undefined) return reasonNeeded;
    if (words !== undefined && phrasesOf(words).length === 0) return noWord;
    if (scope.person !== undefined && (await this.users.newest(scope.person)).state.status === 'unborn')
      return reject('NotFound', 'There is no such user.');
    if (!(await this.exports.reserve(exportId, actor.id, scope))) return tooMany;
    const requested = await this.record(command, reason, reader.member);
    if (isRejection(requested)) await this.exports.withdraw(exportId);
    else await this.exports.accept(exportId, requested.position);
    return requested;
  }

  /** In the room first: nobody reads it without a record there. */
  private async record(
    { exportId, actor, scope, words, context }: RequestExportCommand,
    reason: string,
    member: boolean,
  ) {
    if (scope.room !== undefined && !member) {
      const recorded = await this.inspections.record(scope.room, actor, 'export', { reason, context });
      if (isRejection(recorded)) return recorded;
    }
    const request = { type: 'RequestExport', actor, scope, words: words ?? null, reason } as const;
    return this.requests.send(exportId, request, context);
  }
}

const reasonNeeded = reject('ReasonNeeded', 'Give a reason; it is recorded.');
const noWord = reject('Invalid', 'There is no word in what is looked for.');
const tooMany = reject(
  'Conflict',
  `You have ${exportLimits.unfinished} exports that are not finished, or ${exportLimits.kept} that have not expired, or everybody has ${exportLimits.ofAll}. Wait for one of them.`,
);

/** An export with what was asked for. */
export interface KnownExport extends StoredExport {
  readonly words: string | null;
  /** Empty once it was erased. */
  readonly reason: string;
}

/** Reads what was asked for from the log. */
export class ExportRequestsRead {
  constructor(private readonly log: OpenLog) {}

  async with(stored: StoredExport): Promise<KnownExport> {
    const [event] = await this.log.read(streamName('export', stored.id), 0n, 1);
    const { words, reason } = event?.type === 'ExportRequested' ? event.data : { words: null, reason: null };
    return { ...stored, words, reason: reason ?? '' };
  }
}

/** One of the actor's own exports. */
export class GetExportQuery extends Query<KnownExport | Rejection> {
  constructor(
    readonly exportId: string,
    readonly actor: Actor,
  ) {
    super();
  }
}

@QueryHandler(GetExportQuery)
export class GetExportHandler implements IQueryHandler<GetExportQuery> {
  constructor(
    private readonly exports: StoredExports,
    private readonly requests: ExportRequestsRead,
  ) {}

  async execute({ exportId, actor }: GetExportQuery): Promise<KnownExport | Rejection> {
    const stored = await this.exports.find(exportId);
    return stored?.userId === actor.id ? this.requests.with(stored) : noSuchExport;
  }
}

/** The actor's own exports, the newest first. */
export class ListExportsQuery extends Query<Page<KnownExport>> {
  constructor(
    readonly actor: Actor,
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(ListExportsQuery)
export class ListExportsHandler implements IQueryHandler<ListExportsQuery> {
  constructor(
    private readonly exports: StoredExports,
    private readonly requests: ExportRequestsRead,
  ) {}

  async execute({ actor, page }: ListExportsQuery): Promise<Page<KnownExport>> {
    return withEach(await this.exports.listOf(actor.id, page), (stored) => this.requests.with(stored));
  }
}

export const noSuchExport = reject('NotFound', 'There is no such export.');
