import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { PublishedLog } from './published-log.js';

/** The newest checkpoint with a quorum, as a signed note; null before the first one. */
export class GetLogCheckpointQuery extends Query<string | null> {}

@QueryHandler(GetLogCheckpointQuery)
export class GetLogCheckpointHandler implements IQueryHandler<GetLogCheckpointQuery> {
  constructor(private readonly log: PublishedLog) {}

  async execute(): Promise<string | null> {
    return (await this.log.newest())?.note ?? null;
  }
}

/** A tile of hashes or an entry bundle by its path below the log: `tile/0/x001/234.p/5`. Null if there is none. */
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

/** All verifier keys that the log has ever used, one per line. */
export class GetLogKeysQuery extends Query<string> {}

@QueryHandler(GetLogKeysQuery)
export class GetLogKeysHandler implements IQueryHandler<GetLogKeysQuery> {
  constructor(private readonly log: PublishedLog) {}

  execute(): Promise<string> {
    return this.log.verifierKeys();
  }
}

export const logQueryHandlers = [GetLogCheckpointHandler, GetLogTileHandler, GetLogKeysHandler];
