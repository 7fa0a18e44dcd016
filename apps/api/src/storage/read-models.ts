import type { OlderMessages } from '@verbatim/domain';
import { getRoom, type MessageLookup, messageFacts, type ReadDatabase, type ReadSide } from '@verbatim/projections';
import type { RoomProgress } from '../application/rooms/room-access.js';
import type { ReadModelProgress } from '../doors/read-your-writes.js';
import type { MessageFactsSource } from '../live/replaced-texts.js';

/** The read models as the doors see them: where to ask, and how far they have come. */
export class ReadModels implements MessageFactsSource, ReadModelProgress, RoomProgress {
  /** Whether they once showed everything that was in the log at the start. */
  caughtUp = false;

  /** What queries read from. */
  readonly db: ReadDatabase;

  constructor(readonly side: ReadSide) {
    this.db = { sql: side.sql, schema: () => side.schema() };
    void side.caughtUp().then(() => {
      this.caughtUp = true;
    });
  }

  async messageFacts(roomId: string, messageIds: readonly string[], readerId: string): Promise<OlderMessages> {
    const [facts] = await this.lookUp([{ room: roomId, messages: messageIds, actor: readerId }]);
    return facts ?? { through: -1n, asked: new Set(), messages: new Map() };
  }

  /** Answers many look-ups at once, in their order. */
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
