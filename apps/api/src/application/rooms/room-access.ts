import { Injectable } from '@nestjs/common';
import {
  type Actor,
  type Inspected,
  isRejection,
  maySee,
  type Reader,
  type Rejection,
  type RoomState,
  readerOf,
  reject,
} from '@verbatim/domain';
import { ReadModels } from '../../storage/read-models.js';
import { Rooms } from '../../write-side/entities.js';
import { Inspections, type Purpose } from '../../write-side/inspections.js';

export interface ReadableRoom {
  readonly state: RoomState;
  readonly position: bigint;
  readonly reader: Reader;
}

/**
 * Decides who may read what, on the room's own current state. Neither a read model nor the state last delivered by the
 * feed is recent enough: a person may just have been removed, or a text redacted, through another replica.
 */
@Injectable()
export class RoomAccess {
  constructor(
    private readonly rooms: Rooms,
    private readonly inspections: Inspections,
    private readonly readModels: ReadModels,
  ) {}

  /** The room and what this person may read of it. An inspection by a non-member is recorded first. */
  async toRead(roomId: string, actor: Actor, what: Inspected, purpose: Purpose): Promise<ReadableRoom | Rejection> {
    return this.toReadIn(await this.rooms.newest(roomId), roomId, actor, what, purpose);
  }

  private async toReadIn(
    room: { readonly state: RoomState; readonly position: bigint },
    roomId: string,
    actor: Actor,
    what: Inspected,
    purpose: Purpose,
  ): Promise<ReadableRoom | Rejection> {
    const reader = readerOf(room.state, actor);
    if (isRejection(reader)) return reader;
    if (reader.member) return { ...room, reader };
    const recorded = await this.inspections.record(roomId, actor, what, purpose);
    return isRejection(recorded) ? recorded : { state: recorded.state, position: recorded.position, reader };
  }

  /**
   * Runs `work`, a query on the room's read models, for those who may read it; rejects like `toRead`.
   *
   * While the event store is unreachable, members still get an answer if it certainly shows nothing later than the state
   * on which their right was decided (ADR 0023). Non-members get `Unavailable`: no inspection can be recorded.
   */
  async reading<T>(
    roomId: string,
    actor: Actor,
    what: Inspected,
    purpose: Purpose,
    work: (reader: Reader) => Promise<T>,
  ): Promise<T | Rejection> {
    const room = await this.rooms.newestKnown(roomId);
    if (room.confirmed) {
      const readable = await this.toReadIn(room, roomId, actor, what, purpose);
      return isRejection(readable) ? readable : work(readable.reader);
    }
    const reader = readerOf(room.state, actor);
    if (isRejection(reader) || !reader.member) return unconfirmed;
    return this.notAfter(room.revision, roomId, await work(reader));
  }

  /** Runs `work` for those who may know that the room exists. Like `reading` while the event store is unreachable. */
  async seeing<T>(roomId: string, actor: Actor, work: (state: RoomState) => Promise<T>): Promise<T | Rejection> {
    const { state, revision, confirmed } = await this.rooms.newestKnown(roomId);
    if (maySee(state, actor)) return confirmed ? work(state) : this.notAfter(revision, roomId, await work(state));
    return confirmed ? noSuchRoom : unconfirmed;
  }

  private async notAfter<T>(revision: bigint, roomId: string, found: T): Promise<T | Rejection> {
    return (await this.readModels.roomRevision(roomId)) > revision ? unconfirmed : found;
  }

  /** The room, if this person may know that it exists. */
  async toSee(roomId: string, actor: Actor): Promise<RoomState | Rejection> {
    const { state } = await this.rooms.newest(roomId);
    return maySee(state, actor) ? state : noSuchRoom;
  }
}

const noSuchRoom = reject('NotFound', 'There is no such room.');

const unconfirmed = reject(
  'Unavailable',
  'The event store cannot be reached at the moment to confirm that you may read this.',
);
