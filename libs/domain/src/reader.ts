import type { Actor } from './decider.js';
import { type Face, faceOf } from './disclosure.js';
import { type Rejection, reject } from './rejection.js';
import { type Member, maySee, type RoomState, readableFrom } from './room/room.js';

/** What one person may read of a room. */
export interface Reader {
  readonly face: Face;
  /** The first revision this person may read. */
  readonly from: bigint;
  /** Absent for administrators and auditors who are not in the room. */
  readonly member: Member | null;
}

/** Decides who may read a room: its members, and administrators and auditors of the server. */
export function readerOf(state: RoomState, actor: Actor): Reader | Rejection {
  const member = state.members.get(actor.id) ?? null;
  const auditing = actor.role === 'admin' || actor.role === 'auditor';
  if (!maySee(state, actor)) return reject('NotFound', 'There is no such room.');
  if (!member && !auditing) return reject('NotAMember', 'Only members of the room may read it.');
  return {
    face: faceOf(member?.role ?? null, auditing),
    from: member && !auditing ? readableFrom(state, member) : 0n,
    member,
  };
}
