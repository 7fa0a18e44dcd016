import { type Actor, type Inspected, type Rejection, type RoomState, reject } from '@verbatim/domain';
import type { Rooms } from './entities.js';
import type { Context, Decided } from './mailbox.js';

/** The reason given for reading a room. Members need none. */
export interface Purpose {
  readonly reason?: string;
  readonly context: Context;
}

/** Records that a non-member reads a room. Nothing is shown to them before the record is stored. */
export class Inspections {
  constructor(private readonly rooms: Rooms) {}

  /** Records the inspection. Returns the room as it is afterwards. */
  async record(
    roomId: string,
    actor: Actor,
    what: Inspected,
    { reason, context }: Purpose,
  ): Promise<Decided<RoomState> | Rejection> {
    if (reason === undefined) return reasonNeeded;
    return this.rooms.send(roomId, { type: 'InspectRoom', actor, what, reason }, context);
  }
}

const reasonNeeded = reject('ReasonNeeded', 'You are not in this room. Give a reason for reading it.');
