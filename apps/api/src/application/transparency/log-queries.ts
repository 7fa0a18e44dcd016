import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { PublishedLog } from './published-log.js';

/** The newest checkpoint that has its quorum, as a signed note; null before there is one. */
export class GetLogCheckpointQuery extends Query<string | null> {}

@QueryHandler(GetLogCheckpointQuery)
export class GetLogCheckpointHandler implements IQueryHandler<GetLogCheckpointQuery> {
  constructor(private readonly log: PublishedLog) {}

  async execute(): Promise<string | null> {
    return (await this.log.newest())?.note ?? null;
  }
}

/** A tile of hashes or an entry bundle, by its path below the log: `tile/0/x001/234.p/5`. Null when there is none. */
export class GetLogTileQuery extends Query<Buffer | null> {
  constructor(readonly path: string) {
    super();
  }
}

@QueryHandler(GetLogTileQuery)
export class GetLogTileHandler implements IQueryHandler<GetLogTileQuery> {
  constructor(private readonly log: PublishedLog) {}

  execute({ path }: GetLogTileQuery): Promise<Buffer | null> {
    return this.log.tile(path);
  }
}

/** The verifier keys of the log, those of all times, one a line. */
export class GetLogKeysQuery extends Query<string> {}

@QueryHandler(GetLogKeysQuery)
export class GetLogKeysHandler implements IQueryHandler<GetLogKeysQuery> {
  constructor(private readonly log: PublishedLog) {}

  execute(): Promise<string> {
    return this.log.verifierKeys();
  }
}

export const logQueryHandlers = [GetLogCheckpointHandler, GetLogTileHandler, GetLogKeysHandler];
