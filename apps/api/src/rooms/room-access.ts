import {
  type Actor,
  type Inspected,
  isRejection,
  maySee,
  type Reader,
  type RoomState,
  readerOf,
} from '@verbatim/domain';
import { Rooms } from '../mailbox/entities.js';
import { Inspections, type Purpose } from '../moderation/inspections.js';
import { Refusal } from '../rest/refusal.js';

export interface ReadableRoom {
  readonly state: RoomState;
  readonly position: bigint;
  readonly reader: Reader;
}

/**
 * Decides on the room's own state as of now who may read what: never on a read model that may lag, and not on what the
 * feed has brought so far either, for somebody may just have been removed, or a text redacted, through another replica.
 */
export class RoomAccess {
  constructor(
    private readonly rooms: Rooms,
    private readonly inspections: Inspections,
  ) {}

  /** The room and what this person may read of it; refuses like the rules do. Who is not in it leaves a record first. */
  async toRead(roomId: string, actor: Actor, what: Inspected, purpose: Purpose): Promise<ReadableRoom> {
    const room = await this.rooms.newest(roomId);
    const reader = readerOf(room.state, actor);
    if (isRejection(reader)) throw Refusal.of(reader);
    if (reader.member) return { ...room, reader };
    const { state, position } = await this.inspections.record(roomId, actor, what, purpose);
    return { state, position, reader };
  }

  /** The room, if this person may know of it. */
  async toSee(roomId: string, actor: Actor): Promise<RoomState> {
    const { state } = await this.rooms.newest(roomId);
    if (!maySee(state, actor)) throw new Refusal('not_found', 'There is no such room.');
    return state;
  }
}
