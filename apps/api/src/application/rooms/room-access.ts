import {
  type Actor,
  type Inspected,
  isRejection,
  maySee,
  type Reader,
  type RoomState,
  readerOf,
} from '@verbatim/domain';
import { Refusal } from '../../doors/refusal.js';
import { Rooms } from '../../write-side/entities.js';
import { Inspections, type Purpose } from '../../write-side/inspections.js';

export interface ReadableRoom {
  readonly state: RoomState;
  readonly position: bigint;
  readonly reader: Reader;
}

/** How far the read models have come with a room. */
export interface RoomProgress {
  /** Of the last event of the room that they show; -1 if they do not show it. */
  roomRevision(roomId: string): Promise<bigint>;
}

/**
 * Decides on the room's own state as of now who may read what: never on a read model that may lag, and not on what the
 * feed has brought so far either, for somebody may just have been removed, or a text redacted, through another replica.
 */
export class RoomAccess {
  constructor(
    private readonly rooms: Rooms,
    private readonly inspections: Inspections,
    private readonly readModels: RoomProgress,
  ) {}

  /** The room and what this person may read of it; refuses like the rules do. Who is not in it leaves a record first. */
  async toRead(roomId: string, actor: Actor, what: Inspected, purpose: Purpose): Promise<ReadableRoom> {
    return this.toReadIn(await this.rooms.newest(roomId), roomId, actor, what, purpose);
  }

  private async toReadIn(
    room: { readonly state: RoomState; readonly position: bigint },
    roomId: string,
    actor: Actor,
    what: Inspected,
    purpose: Purpose,
  ): Promise<ReadableRoom> {
    const reader = readerOf(room.state, actor);
    if (isRejection(reader)) throw Refusal.of(reader);
    if (reader.member) return { ...room, reader };
    const { state, position } = await this.inspections.record(roomId, actor, what, purpose);
    return { state, position, reader };
  }

  /**
   * What `work` finds in the read models of the room, for those who may read it; refuses like `toRead`.
   *
   * While the event store is away, members still get an answer, as far as it is certain that it shows nothing from after
   * the state on which their right was decided (ADR 0023). A refusal is never certain then, nor can a record be left.
   */
  async reading<T>(
    roomId: string,
    actor: Actor,
    what: Inspected,
    purpose: Purpose,
    work: (reader: Reader) => Promise<T>,
  ): Promise<T> {
    const room = await this.rooms.newestKnown(roomId);
    if (room.confirmed) return work((await this.toReadIn(room, roomId, actor, what, purpose)).reader);
    const reader = readerOf(room.state, actor);
    if (isRejection(reader) || !reader.member) throw unconfirmed();
    return this.notAfter(room.revision, roomId, await work(reader));
  }

  /** What `work` finds of a room that this person may know of; while the event store is away, like `reading`. */
  async seeing<T>(roomId: string, actor: Actor, work: (state: RoomState) => Promise<T>): Promise<T> {
    const { state, revision, confirmed } = await this.rooms.newestKnown(roomId);
    if (maySee(state, actor)) return confirmed ? work(state) : this.notAfter(revision, roomId, await work(state));
    throw confirmed ? noSuchRoom() : unconfirmed();
  }

  private async notAfter<T>(revision: bigint, roomId: string, found: T): Promise<T> {
    if ((await this.readModels.roomRevision(roomId)) > revision) throw unconfirmed();
    return found;
  }

  /** The room, if this person may know of it. */
  async toSee(roomId: string, actor: Actor): Promise<RoomState> {
    const { state } = await this.rooms.newest(roomId);
    if (!maySee(state, actor)) throw noSuchRoom();
    return state;
  }
}

const noSuchRoom = () => new Refusal('not_found', 'There is no such room.');

const unconfirmed = () =>
  new Refusal('unavailable', 'The event store cannot be asked at the moment whether you may read this.');
