import type { Actor, Inspected } from '@verbatim/domain';
import { accepted, Refusal } from '../doors/refusal.js';
import type { Rooms } from './entities.js';
import type { Context } from './mailbox.js';

/** Why somebody reads a room, as far as they say; those who are in it need not. */
export interface Purpose {
  readonly reason?: string;
  readonly context: Context;
}

/** Records that somebody who is not in a room reads it. What they asked for is answered only when that is recorded. */
export class Inspections {
  constructor(private readonly rooms: Rooms) {}

  /** The room as it is after the record. */
  async record(roomId: string, actor: Actor, what: Inspected, { reason, context }: Purpose) {
    if (reason === undefined) {
      throw new Refusal(
        'reason_required',
        'You are not in this room. Say why you read it, in the header Verbatim-Reason or the field reason of `follow`.',
      );
    }
    return accepted(await this.rooms.send(roomId, { type: 'InspectRoom', actor, what, reason }, context));
  }
}
