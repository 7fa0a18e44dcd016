import type { OlderMessages } from '@verbatim/domain';
import { getRoom, type MessageLookup, messageFacts, type ReadDatabase, type ReadSide } from '@verbatim/projections';
import type { ReadReplica } from './read-replica.js';

/** The read models: where to query them, and how far they have caught up. */
export class ReadModels {
  /** Whether they have caught up with the log once since startup. */
  caughtUp = false;

  /** The database for queries. */
  readonly db: ReadDatabase;

  constructor(
    readonly side: ReadSide,
    private readonly replica?: ReadReplica,
  ) {
    this.db = { sql: side.sql, texts: side.texts, schema: () => side.schema() };
    void side.caughtUp().then(() => {
      this.caughtUp = true;
    });
  }

  /** Runs the query of a list or search: on the replica, if there is one that is as current as the primary. */
  list<T>(query: (db: ReadDatabase) => Promise<T>): Promise<T> {
    if (!this.replica) return query(this.db);
    return this.replica.read((sql) => query({ ...this.db, sql }));
  }

  async messageFacts(roomId: string, messageIds: readonly string[], readerId: string): Promise<OlderMessages> {
    const [facts] = await this.lookUp([{ room: roomId, messages: messageIds, actor: readerId }]);
    return facts ?? { through: -1n, asked: new Set(), messages: new Map() };
  }

  /** Looks up many messages at once; the results are in the same order. */
  lookUp(lookups: readonly MessageLookup[]): Promise<readonly OlderMessages[]> {
    return messageFacts(this.db, lookups);
  }

  async roomRevision(roomId: string): Promise<bigint> {
    return (await getRoom(this.db, roomId))?.revision ?? -1n;
  }

  reached(position: bigint, patience: number): Promise<boolean> {
    return this.side.reached(position, patience);
  }

  head(): Promise<bigint> {
    return this.side.head();
  }
}
