import {
  type Actor,
  type ExportScope,
  type Face,
  isRejection,
  type Reader,
  type Rejection,
  type RoomState,
  readerOf,
  reject,
  type ServerRole,
} from '@verbatim/domain';
import { Rooms, Users } from '../../write-side/entities.js';

/** Decides who may export what, on the states as they are now: asked again at each step, since rights may be taken away. */
export class ExportAccess {
  constructor(
    private readonly rooms: Rooms,
    private readonly users: Users,
  ) {}

  /** What this person would see of what they want to export. */
  async readerFor(actor: Actor, { room }: ExportScope): Promise<ExportReader | Rejection> {
    if (room === undefined) return actor.role === 'user' ? moreThanARoom : { face: 'auditor', from: 0n, member: false };
    return this.readerOfRoom(actor, room);
  }

  /** The same for somebody who asked for it before, with the role that they have now. */
  async readerStill(userId: string, scope: ExportScope): Promise<StandingReader | Rejection> {
    const { state } = await this.users.newest(userId);
    if (state.status !== 'active') return reject('NotAllowed', 'The account of whoever requested it is not in use.');
    const actor = { id: userId, role: state.role as ServerRole };
    const reader = await this.readerFor(actor, scope);
    return isRejection(reader) ? reader : { ...reader, actor };
  }

  /** A room as it is now. */
  async stateOf(roomId: string): Promise<{ readonly state: RoomState; readonly position: bigint }> {
    return this.rooms.newest(roomId);
  }

  /** What somebody sees of one room in an export. */
  async readerOfRoom(actor: Actor, roomId: string): Promise<ExportReader | Rejection> {
    const { state } = await this.rooms.newest(roomId);
    const reader: Reader | Rejection = readerOf(state, actor);
    if (isRejection(reader)) return reader;
    const { face, from, member } = reader;
    return face === 'owner' || face === 'auditor' ? { face, from, member: member !== null, state } : notAnOwner;
  }
}

export interface ExportReader {
  readonly face: Face;
  /** The first revision of the room that they may read. */
  readonly from: bigint;
  /** Whether they are in the room. */
  readonly member: boolean;
  /** The room, if there is one. */
  readonly state?: RoomState;
}

/** The same of somebody who asked for an export before. */
export interface StandingReader extends ExportReader {
  readonly actor: Actor;
}

const moreThanARoom = reject('NotAllowed', 'Only administrators and auditors may export more than a room of theirs.');
const notAnOwner = reject('NotAllowed', 'Only owners of the room, administrators and auditors may export it.');
